import { hello, momentIn, type Template } from './language.ts'

export interface PasswordChanged {
  firstName: string
  /** ISO 8601. */
  at: string
}

/** Tells a person that their password was replaced. */
export const passwordChanged: Template<PasswordChanged> = {
  en: ({ firstName, at }) => ({
    subject: 'Your password was changed',
    greeting: hello.en(firstName),
    paragraphs: [
      `The password of your account was changed on ${momentIn('en', at)}. Other sessions of yours were ended.`,
    ],
    notes: [
      'If that was not you, ask for a new password on the sign-in page at once, and tell an administrator.',
    ],
  }),
  de: ({ firstName, at }) => ({
    subject: 'Ihr Passwort wurde geändert',
    greeting: hello.de(firstName),
    paragraphs: [
      `Das Passwort Ihres Kontos wurde am ${momentIn('de', at)} geändert. Ihre anderen Sitzungen wurden beendet.`,
    ],
    notes: [
      'Wenn Sie das nicht waren, fordern Sie auf der Anmeldeseite sofort ein neues Passwort an und sagen Sie der Administration Bescheid.',
    ],
  }),
}
