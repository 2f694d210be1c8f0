import { layOut, type RenderedMail } from './layout.ts'

export interface AddedToOrganisation {
  organisation: string
  inviter: string | null
  firstName: string
}

/** Tells a person with an account that an organisation has added them. */
export function addedToOrganisation(data: AddedToOrganisation, locale: string): RenderedMail {
  return layOut({
    locale,
    subject: `You were added to ${data.organisation}`,
    paragraphs: [
      data.firstName ? `Hello ${data.firstName},` : 'Hello,',
      data.inviter
        ? `${data.inviter} has added you to ${data.organisation}.`
        : `You have been added to ${data.organisation}.`,
      'Sign in as usual and switch to it whenever you like.',
    ],
    notes: ['If you do not want to belong to it, you can leave it once signed in.'],
  })
}
