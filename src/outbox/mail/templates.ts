import { languageOf, type Language } from '../../shared/languages.ts'
import { addedToOrganisation } from './templates/added-to-organisation.ts'
import { addressRegistered } from './templates/address-registered.ts'
import { digest } from './templates/digest.ts'
import {
  addressWanted,
  emailChange,
  emailChangeNotice,
  loginChanged,
} from './templates/email-change.ts'
import { invitation } from './templates/invitation.ts'
import type { Template } from './templates/language.ts'
import { layOut, type MailText, type RenderedMail } from './templates/layout.ts'
import { magicLink } from './templates/magic-link.ts'
import { membershipBarred, membershipReadmitted } from './templates/membership.ts'
import { mfaAdded } from './templates/mfa-added.ts'
import { mfaGuesses } from './templates/mfa-guesses.ts'
import { mfaRemoved } from './templates/mfa-removed.ts'
import { mfaReset } from './templates/mfa-reset.ts'
import { newDevice } from './templates/new-device.ts'
import { newKey } from './templates/new-key.ts'
import { passwordChanged } from './templates/password-changed.ts'
import { passwordReset } from './templates/password-reset.ts'
import { recoveryCodeUsed } from './templates/recovery-code-used.ts'
import { verifyEmail } from './templates/verify-email.ts'
import { webhookOff } from './templates/webhook-off.ts'
import { workflowMail } from './templates/workflow-mail.ts'

const TEMPLATES = {
  addedToOrganisation,
  addressRegistered,
  addressWanted,
  digest,
  emailChange,
  emailChangeNotice,
  invitation,
  loginChanged,
  magicLink,
  membershipBarred,
  membershipReadmitted,
  mfaAdded,
  mfaGuesses,
  mfaRemoved,
  mfaReset,
  newDevice,
  newKey,
  passwordChanged,
  passwordReset,
  recoveryCodeUsed,
  verifyEmail,
  webhookOff,
  workflowMail,
}
type Templates = typeof TEMPLATES
type DataOf<Of> = Of extends Template<infer Data> ? Data : never

/** Every mail this server sends: which template, with which data. */
export type Mail = {
  [Name in keyof Templates]: { template: Name; data: DataOf<Templates[Name]> }
}[keyof Templates]

/**
 * Subject, text and HTML of a mail, in the language nearest to a person's locale.
 *
 * @param stopUrl where its reader has mails of this kind stopped, as its foot says; null for what cannot be stopped.
 */
export function render(mail: Mail, locale: string, stopUrl: string | null = null): RenderedMail {
  const language = languageOf(locale)
  return layOut(language, write(mail, language), stopUrl)
}

/** What a mail says, without how it begins: a message by itself, in the language nearest to a person's locale. */
export const messageOf = (mail: Mail, locale: string): string =>
  write(mail, languageOf(locale)).paragraphs.join(' ')

function write({ template, data }: Mail, language: Language): MailText {
  // the type of a mail pairs a template with its data, which TypeScript does not see through the union
  const { [language]: text } = TEMPLATES[template] as Template<typeof data>
  return text(data)
}
