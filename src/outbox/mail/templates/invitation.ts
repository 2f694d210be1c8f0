import { hello, onceUntil, type Template } from './language.ts'

export interface Invitation {
  organisation: string
  inviter: string | null
  firstName: string
  /** The inviter's own words, in lines. */
  message?: string | null
  url: string
  /** ISO 8601. */
  expiresAt: string
}

/** Somebody's own words as paragraphs, marked as theirs. */
function quoted(message: string | null | undefined, open: string, close: string): string[] {
  const lines = (message ?? '').split('\n').filter(line => line.trim())
  const last = lines.length - 1
  return lines.map(
    (line, index) => `${index === 0 ? open : ''}${line}${index === last ? close : ''}`,
  )
}

/** Asks a person to set up their account or to accept a place. */
export const invitation: Template<Invitation> = {
  en: ({ organisation, inviter, firstName, message, url, expiresAt }) => ({
    subject: `Join ${organisation}`,
    greeting: hello.en(firstName),
    paragraphs: [
      inviter
        ? `${inviter} has invited you to join ${organisation}.`
        : `You have been invited to join ${organisation}.`,
      ...quoted(message, '“', '”'),
    ],
    button: { label: 'Accept the invitation', url },
    notes: [onceUntil.en(expiresAt), 'If you did not expect this mail, you need not do anything.'],
  }),
  de: ({ organisation, inviter, firstName, message, url, expiresAt }) => ({
    subject: `Einladung zu ${organisation}`,
    greeting: hello.de(firstName),
    paragraphs: [
      inviter
        ? `${inviter} lädt Sie ein, ${organisation} beizutreten.`
        : `Sie sind eingeladen, ${organisation} beizutreten.`,
      ...quoted(message, '„', '“'),
    ],
    button: { label: 'Einladung annehmen', url },
    notes: [
      onceUntil.de(expiresAt),
      'Wenn Sie diese Mail nicht erwartet haben, brauchen Sie nichts zu tun.',
    ],
  }),
}
