import { hello, momentIn, type Template } from './language.ts'

export interface MfaRemoved {
  firstName: string
  /** What its owner called the authenticator. */
  factor: string
  /** None is left. */
  last: boolean
  /** ISO 8601. */
  at: string
}

/** Tells a person that an authenticator was removed from their account. */
export const mfaRemoved: Template<MfaRemoved> = {
  en: ({ firstName, factor, last, at }) => ({
    subject: last
      ? 'Two-step sign-in was turned off'
      : 'An authenticator was removed from your account',
    greeting: hello.en(firstName),
    paragraphs: [
      `The authenticator "${factor}" was removed from your account on ${momentIn('en', at)}. Other sessions of yours were ended.`,
      ...(last ? ['Signing in no longer asks for a code, and your recovery codes are void.'] : []),
    ],
    notes: [
      'If that was not you, ask for a new password on the sign-in page at once, and tell an administrator.',
    ],
  }),
  de: ({ firstName, factor, last, at }) => ({
    subject: last
      ? 'Anmeldung in zwei Schritten ist ausgeschaltet'
      : 'Aus Ihrem Konto wurde ein Authenticator entfernt',
    greeting: hello.de(firstName),
    paragraphs: [
      `Der Authenticator „${factor}“ wurde am ${momentIn('de', at)} aus Ihrem Konto entfernt. Ihre anderen Sitzungen wurden beendet.`,
      ...(last
        ? [
            'Die Anmeldung fragt nicht mehr nach einem Code, und Ihre Wiederherstellungscodes gelten nicht mehr.',
          ]
        : []),
    ],
    notes: [
      'Wenn Sie das nicht waren, fordern Sie auf der Anmeldeseite sofort ein neues Passwort an und sagen Sie der Administration Bescheid.',
    ],
  }),
}
