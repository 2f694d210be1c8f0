import { hello, onceUntil, type Template } from './language.ts'

export interface VerifyEmail {
  firstName: string
  /** What the person registered with, if anything: `Shop of Acme`. */
  project: { name: string; organisation: string } | null
  /** True where an administrator changed the login of an account that is in use. */
  changed: boolean
  url: string
  /** ISO 8601. */
  expiresAt: string
}

/** Brings the link that confirms an address. */
export const verifyEmail: Template<VerifyEmail> = {
  en: ({ firstName, project, changed, url, expiresAt }) => ({
    subject: 'Confirm your email address',
    greeting: hello.en(firstName),
    paragraphs: [
      changed
        ? 'This address is now the login of your account. Confirm that it is yours; you will be asked for your password.'
        : project
          ? `Confirm your address to register with ${project.name} of ${project.organisation}, and choose your password.`
          : 'Confirm your address and choose your password.',
    ],
    button: { label: 'Confirm the address', url },
    notes: [
      onceUntil.en(expiresAt),
      changed
        ? 'If you have no account here, you need not do anything.'
        : 'If you did not register, you need not do anything.',
    ],
  }),
  de: ({ firstName, project, changed, url, expiresAt }) => ({
    subject: 'E-Mail-Adresse bestätigen',
    greeting: hello.de(firstName),
    paragraphs: [
      changed
        ? 'Mit dieser Adresse melden Sie sich künftig an. Bestätigen Sie, dass sie Ihnen gehört; Sie werden nach Ihrem Passwort gefragt.'
        : project
          ? `Bestätigen Sie Ihre Adresse, um sich bei ${project.name} von ${project.organisation} zu registrieren, und wählen Sie Ihr Passwort.`
          : 'Bestätigen Sie Ihre Adresse, und wählen Sie Ihr Passwort.',
    ],
    button: { label: 'Adresse bestätigen', url },
    notes: [
      onceUntil.de(expiresAt),
      changed
        ? 'Wenn Sie hier kein Konto haben, brauchen Sie nichts zu tun.'
        : 'Wenn Sie sich nicht registriert haben, brauchen Sie nichts zu tun.',
    ],
  }),
}
