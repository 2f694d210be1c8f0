import { addedToOrganisation, type AddedToOrganisation } from './templates/added-to-organisation.ts'
import { invitation, type Invitation } from './templates/invitation.ts'
import { newKey, type NewKey } from './templates/new-key.ts'
import type { RenderedMail } from './templates/layout.ts'

/** Every mail this server sends: which template, with which data. */
export type Mail =
  | { template: 'invitation'; data: Invitation }
  | { template: 'addedToOrganisation'; data: AddedToOrganisation }
  | { template: 'newKey'; data: NewKey }

/** Subject, text and HTML of a mail. */
export function render(mail: Mail, locale: string): RenderedMail {
  switch (mail.template) {
    case 'invitation':
      return invitation(mail.data, locale)
    case 'newKey':
      return newKey(mail.data, locale)
    case 'addedToOrganisation':
      return addedToOrganisation(mail.data, locale)
  }
}
