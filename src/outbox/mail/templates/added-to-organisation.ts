import { hello, type Template } from './language.ts'

export interface AddedToOrganisation {
  organisation: string
  inviter: string | null
  firstName: string
}

/** Tells a person with an account that an organisation has added them. */
export const addedToOrganisation: Template<AddedToOrganisation> = {
  en: ({ organisation, inviter, firstName }) => ({
    subject: `You were added to ${organisation}`,
    greeting: hello.en(firstName),
    paragraphs: [
      inviter
        ? `${inviter} has added you to ${organisation}.`
        : `You have been added to ${organisation}.`,
      'Sign in as usual and switch to it whenever you like.',
    ],
    notes: ['If you do not want to belong to it, you can leave it once signed in.'],
  }),
  de: ({ organisation, inviter, firstName }) => ({
    subject: `Sie gehören jetzt zu ${organisation}`,
    greeting: hello.de(firstName),
    paragraphs: [
      inviter
        ? `${inviter} hat Sie zu ${organisation} hinzugefügt.`
        : `Sie wurden zu ${organisation} hinzugefügt.`,
      'Melden Sie sich wie gewohnt an und wechseln Sie dorthin, wann immer Sie möchten.',
    ],
    notes: ['Wenn Sie nicht dazugehören möchten, können Sie nach der Anmeldung wieder austreten.'],
  }),
}
