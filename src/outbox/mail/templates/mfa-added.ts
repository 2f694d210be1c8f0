import { hello, momentIn, type Template } from './language.ts'

export interface MfaAdded {
  firstName: string
  /** What its owner calls the authenticator. */
  factor: string
  /** It turned second factors on. */
  first: boolean
  /** ISO 8601. */
  at: string
}

/** Tells a person that an authenticator was added to their account. */
export const mfaAdded: Template<MfaAdded> = {
  en: ({ firstName, factor, first, at }) => ({
    subject: first
      ? 'Two-step sign-in was turned on'
      : 'An authenticator was added to your account',
    greeting: hello.en(firstName),
    paragraphs: [
      `The authenticator "${factor}" was added to your account on ${momentIn('en', at)}. Other sessions of yours were ended.`,
      ...(first
        ? [
            'From now on, signing in asks for a code from it. Keep your recovery codes in a safe place.',
          ]
        : []),
    ],
    notes: [
      'If that was not you, ask for a new password on the sign-in page at once, and tell an administrator.',
    ],
  }),
  de: ({ firstName, factor, first, at }) => ({
    subject: first
      ? 'Anmeldung in zwei Schritten ist eingeschaltet'
      : 'Ihrem Konto wurde ein Authenticator hinzugefügt',
    greeting: hello.de(firstName),
    paragraphs: [
      `Der Authenticator „${factor}“ wurde Ihrem Konto am ${momentIn('de', at)} hinzugefügt. Ihre anderen Sitzungen wurden beendet.`,
      ...(first
        ? [
            'Die Anmeldung fragt ab jetzt nach einem Code daraus. Bewahren Sie Ihre Wiederherstellungscodes sicher auf.',
          ]
        : []),
    ],
    notes: [
      'Wenn Sie das nicht waren, fordern Sie auf der Anmeldeseite sofort ein neues Passwort an und sagen Sie der Administration Bescheid.',
    ],
  }),
}
