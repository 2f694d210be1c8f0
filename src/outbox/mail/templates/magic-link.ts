import { hello, onceUntil, type Template } from './language.ts'

export interface MagicLink {
  firstName: string
  /** Where it leads, unless to this server's own page. */
  project: { name: string; organisation: string } | null
  url: string
  /** ISO 8601. */
  expiresAt: string
}

/** Brings a link that signs in. */
export const magicLink: Template<MagicLink> = {
  en: ({ firstName, project, url, expiresAt }) => ({
    subject: project ? `Sign in to ${project.name}` : 'Your sign-in link',
    greeting: hello.en(firstName),
    paragraphs: [
      project
        ? `Use this link to sign in to ${project.name} of ${project.organisation}.`
        : 'Use this link to sign in.',
    ],
    button: { label: 'Sign in', url },
    notes: [
      onceUntil.en(expiresAt),
      'If you did not ask for it, delete this mail and give the link to nobody.',
    ],
  }),
  de: ({ firstName, project, url, expiresAt }) => ({
    subject: project ? `Anmeldung bei ${project.name}` : 'Ihr Anmeldelink',
    greeting: hello.de(firstName),
    paragraphs: [
      project
        ? `Mit diesem Link melden Sie sich bei ${project.name} von ${project.organisation} an.`
        : 'Mit diesem Link melden Sie sich an.',
    ],
    button: { label: 'Anmelden', url },
    notes: [
      onceUntil.de(expiresAt),
      'Wenn Sie ihn nicht angefordert haben, löschen Sie diese Mail, und geben Sie den Link niemandem.',
    ],
  }),
}
