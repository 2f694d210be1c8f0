import { layOut, type RenderedMail } from './layout.ts'

export interface Invitation {
  organisation: string
  inviter: string | null
  firstName: string
  url: string
  /** ISO 8601. */
  expiresAt: string
}

/** Asks a person to set up their account or to accept a place. */
export function invitation(data: Invitation, locale: string): RenderedMail {
  const who = data.inviter ? `${data.inviter} has` : 'You have been'
  const words = data.inviter ? 'invited you to join' : 'invited to join'
  return layOut({
    locale,
    subject: `Join ${data.organisation}`,
    paragraphs: [
      data.firstName ? `Hello ${data.firstName},` : 'Hello,',
      `${who} ${words} ${data.organisation}.`,
    ],
    button: { label: 'Accept the invitation', url: data.url },
    notes: [
      `The link works once, until ${formatInstant(data.expiresAt, locale)}.`,
      'If you did not expect this mail, you need not do anything.',
    ],
  })
}

const formatInstant = (instant: string, locale: string) =>
  new Intl.DateTimeFormat(locale, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(new Date(instant)) + ' UTC'
