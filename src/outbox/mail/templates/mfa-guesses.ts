import { hello, momentIn, type Template } from './language.ts'

export interface MfaGuesses {
  firstName: string
  /** ISO 8601. */
  at: string
}

/** Tells a person that many wrong codes were tried after their right password or link. */
export const mfaGuesses: Template<MfaGuesses> = {
  en: ({ firstName, at }) => ({
    subject: 'Many wrong codes were tried on your account',
    greeting: hello.en(firstName),
    paragraphs: [
      `By ${momentIn('en', at)} many wrong codes had been tried for the second step of signing in to your account. Further codes now have to wait.`,
      'Whoever gets as far as the second step knows your password or reads your mail.',
    ],
    notes: [
      'If that was not you, ask for a new password on the sign-in page at once, and tell an administrator.',
    ],
  }),
  de: ({ firstName, at }) => ({
    subject: 'Viele falsche Codes bei Ihrem Konto',
    greeting: hello.de(firstName),
    paragraphs: [
      `Bis ${momentIn('de', at)} wurden beim zweiten Schritt der Anmeldung an Ihrem Konto viele falsche Codes eingegeben. Weitere Codes müssen jetzt warten.`,
      'Wer bis zum zweiten Schritt kommt, kennt Ihr Passwort oder liest Ihre Mails.',
    ],
    notes: [
      'Wenn Sie das nicht waren, fordern Sie auf der Anmeldeseite sofort ein neues Passwort an und sagen Sie der Administration Bescheid.',
    ],
  }),
}
