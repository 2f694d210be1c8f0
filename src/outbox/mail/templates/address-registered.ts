import { hello, type Template } from './language.ts'

export interface AddressRegistered {
  firstName: string
  project: string
  organisation: string
}

/** Tells the owner of an account that somebody tried to register with its address. */
export const addressRegistered: Template<AddressRegistered> = {
  en: ({ firstName, project, organisation }) => ({
    subject: 'You have an account already',
    greeting: hello.en(firstName),
    paragraphs: [
      `Somebody tried to register with ${project} of ${organisation} under your address. Nothing was changed, for you have an account already.`,
      'If that was you, sign in as usual. If you have forgotten your password, ask for a new one on the sign-in page.',
    ],
    notes: ['If it was not you, you need not do anything.'],
  }),
  de: ({ firstName, project, organisation }) => ({
    subject: 'Sie haben bereits ein Konto',
    greeting: hello.de(firstName),
    paragraphs: [
      `Jemand wollte sich unter Ihrer Adresse bei ${project} von ${organisation} registrieren. Es wurde nichts geändert, denn Sie haben bereits ein Konto.`,
      'Wenn Sie das waren, melden Sie sich wie gewohnt an. Haben Sie Ihr Passwort vergessen, fordern Sie auf der Anmeldeseite ein neues an.',
    ],
    notes: ['Wenn Sie es nicht waren, brauchen Sie nichts zu tun.'],
  }),
}
