import { hello, onceUntil, type Template } from './language.ts'

export interface Invitation {
  organisation: string
  inviter: string | null
  firstName: string
  url: string
  /** ISO 8601. */
  expiresAt: string
}

/** Asks a person to set up their account or to accept a place. */
export const invitation: Template<Invitation> = {
  en: ({ organisation, inviter, firstName, url, expiresAt }) => ({
    subject: `Join ${organisation}`,
    paragraphs: [
      hello.en(firstName),
      inviter
        ? `${inviter} has invited you to join ${organisation}.`
        : `You have been invited to join ${organisation}.`,
    ],
    button: { label: 'Accept the invitation', url },
    notes: [onceUntil.en(expiresAt), 'If you did not expect this mail, you need not do anything.'],
  }),
  de: ({ organisation, inviter, firstName, url, expiresAt }) => ({
    subject: `Einladung zu ${organisation}`,
    paragraphs: [
      hello.de(firstName),
      inviter
        ? `${inviter} lädt Sie ein, ${organisation} beizutreten.`
        : `Sie sind eingeladen, ${organisation} beizutreten.`,
    ],
    button: { label: 'Einladung annehmen', url },
    notes: [
      onceUntil.de(expiresAt),
      'Wenn Sie diese Mail nicht erwartet haben, brauchen Sie nichts zu tun.',
    ],
  }),
}
