import { hello, onceUntil, type Template } from './language.ts'

export interface PasswordReset {
  firstName: string
  url: string
  /** ISO 8601. */
  expiresAt: string
}

/** Brings the link behind which a new password is chosen. */
export const passwordReset: Template<PasswordReset> = {
  en: ({ firstName, url, expiresAt }) => ({
    subject: 'Choose a new password',
    greeting: hello.en(firstName),
    paragraphs: [
      'A new password was asked for, for the account with this address. Choose it here. You will be signed out everywhere.',
    ],
    button: { label: 'Choose a new password', url },
    notes: [
      onceUntil.en(expiresAt),
      'If you did not ask for this, you need not do anything: the password stays as it is.',
    ],
  }),
  de: ({ firstName, url, expiresAt }) => ({
    subject: 'Neues Passwort wählen',
    greeting: hello.de(firstName),
    paragraphs: [
      'Für das Konto mit dieser Adresse wurde ein neues Passwort angefordert. Wählen Sie es hier. Danach sind Sie überall abgemeldet.',
    ],
    button: { label: 'Neues Passwort wählen', url },
    notes: [
      onceUntil.de(expiresAt),
      'Wenn Sie das nicht angefordert haben, brauchen Sie nichts zu tun: Das Passwort bleibt, wie es ist.',
    ],
  }),
}
