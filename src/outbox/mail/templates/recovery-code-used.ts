import { hello, momentIn, type Template } from './language.ts'

export interface RecoveryCodeUsed {
  firstName: string
  /** How many are left. */
  left: number
  /** ISO 8601. */
  at: string
}

/** Tells a person that one of their recovery codes was used. */
export const recoveryCodeUsed: Template<RecoveryCodeUsed> = {
  en: ({ firstName, left, at }) => ({
    subject: 'A recovery code was used',
    greeting: hello.en(firstName),
    paragraphs: [
      `One of your recovery codes was used on ${momentIn('en', at)}. It does not work again.`,
      left
        ? `You have ${left} left. You can replace them all once you are signed in.`
        : 'You have none left: make new ones once you are signed in.',
    ],
    notes: [
      'If that was not you, ask for a new password on the sign-in page at once, and tell an administrator.',
    ],
  }),
  de: ({ firstName, left, at }) => ({
    subject: 'Ein Wiederherstellungscode wurde benutzt',
    greeting: hello.de(firstName),
    paragraphs: [
      `Am ${momentIn('de', at)} wurde einer Ihrer Wiederherstellungscodes benutzt. Er gilt kein zweites Mal.`,
      left
        ? `Sie haben noch ${left}. Wenn Sie angemeldet sind, können Sie alle ersetzen.`
        : 'Sie haben keinen mehr: Erstellen Sie neue, sobald Sie angemeldet sind.',
    ],
    notes: [
      'Wenn Sie das nicht waren, fordern Sie auf der Anmeldeseite sofort ein neues Passwort an und sagen Sie der Administration Bescheid.',
    ],
  }),
}
