import { hello, momentIn, type Template } from './language.ts'

export interface MfaReset {
  firstName: string
  /** ISO 8601. */
  at: string
}

/** Tells a person that an operator has removed their second factors. */
export const mfaReset: Template<MfaReset> = {
  en: ({ firstName, at }) => ({
    subject: 'Two-step sign-in was reset',
    greeting: hello.en(firstName),
    paragraphs: [
      `An operator removed all authenticators and recovery codes of your account on ${momentIn('en', at)}, and ended your sessions.`,
      'Sign in again, and add an authenticator anew.',
    ],
    notes: ['If you did not ask for this, tell an administrator at once.'],
  }),
  de: ({ firstName, at }) => ({
    subject: 'Anmeldung in zwei Schritten wurde zurückgesetzt',
    greeting: hello.de(firstName),
    paragraphs: [
      `Der Betrieb hat am ${momentIn('de', at)} alle Authenticator und Wiederherstellungscodes Ihres Kontos entfernt und Ihre Sitzungen beendet.`,
      'Melden Sie sich neu an und fügen Sie wieder einen Authenticator hinzu.',
    ],
    notes: ['Wenn Sie nicht darum gebeten haben, sagen Sie sofort der Administration Bescheid.'],
  }),
}
