import { hello, momentIn, onceUntil, type Template } from './language.ts'

export interface EmailChange {
  firstName: string
  url: string
  /** ISO 8601. */
  expiresAt: string
}

/** Brings the link that moves an account to the address it is sent to. */
export const emailChange: Template<EmailChange> = {
  en: ({ firstName, url, expiresAt }) => ({
    subject: 'Confirm your new email address',
    greeting: hello.en(firstName),
    paragraphs: [
      'You asked to move your account to this address. Confirm it here; you will be asked for your password. Until then nothing changes.',
    ],
    button: { label: 'Confirm the new address', url },
    notes: [onceUntil.en(expiresAt), 'If you did not ask for this, you need not do anything.'],
  }),
  de: ({ firstName, url, expiresAt }) => ({
    subject: 'Neue E-Mail-Adresse bestätigen',
    greeting: hello.de(firstName),
    paragraphs: [
      'Sie möchten Ihr Konto auf diese Adresse umstellen. Bestätigen Sie sie hier; Sie werden nach Ihrem Passwort gefragt. Bis dahin ändert sich nichts.',
    ],
    button: { label: 'Neue Adresse bestätigen', url },
    notes: [
      onceUntil.de(expiresAt),
      'Wenn Sie das nicht angefordert haben, brauchen Sie nichts zu tun.',
    ],
  }),
}

export interface AddressWanted {
  firstName: string
}

/** Tells the owner of an account that somebody wanted to move theirs to its address. */
export const addressWanted: Template<AddressWanted> = {
  en: ({ firstName }) => ({
    subject: 'You have an account already',
    greeting: hello.en(firstName),
    paragraphs: [
      'Somebody asked to move another account to your address. That is not possible, for the address has an account already: yours. Nothing was changed.',
    ],
    notes: ['If it was not you, you need not do anything.'],
  }),
  de: ({ firstName }) => ({
    subject: 'Sie haben bereits ein Konto',
    greeting: hello.de(firstName),
    paragraphs: [
      'Jemand wollte ein anderes Konto auf Ihre Adresse umstellen. Das geht nicht, denn zu ihr gibt es bereits ein Konto: Ihres. Es wurde nichts geändert.',
    ],
    notes: ['Wenn Sie es nicht waren, brauchen Sie nichts zu tun.'],
  }),
}

export interface EmailChangeNotice {
  firstName: string
  /** The address that the account is to have, or has now. */
  email: string
  what: 'requested' | 'changed'
  /** ISO 8601. */
  at: string
}

/** Tells the old address that the account is to leave it, or has left it. */
export const emailChangeNotice: Template<EmailChangeNotice> = {
  en: ({ firstName, email, what, at }) =>
    what === 'requested'
      ? {
          subject: 'Your email address is to be changed',
          greeting: hello.en(firstName),
          paragraphs: [
            `On ${momentIn('en', at)} it was asked to move your account from this address to ${email}. Nothing changes until it is confirmed there.`,
          ],
          notes: [
            'If that was not you, change your password at once: that calls the change off and ends all other sessions.',
          ],
        }
      : {
          subject: 'Your email address was changed',
          greeting: hello.en(firstName),
          paragraphs: [
            `On ${momentIn('en', at)} your account was moved from this address to ${email}. Sign in with that one from now on.`,
          ],
          notes: ['If that was not you, tell an operator of the platform at once.'],
        },
  de: ({ firstName, email, what, at }) =>
    what === 'requested'
      ? {
          subject: 'Ihre E-Mail-Adresse soll geändert werden',
          greeting: hello.de(firstName),
          paragraphs: [
            `Am ${momentIn('de', at)} wurde angefordert, Ihr Konto von dieser Adresse auf ${email} umzustellen. Bis es dort bestätigt wird, ändert sich nichts.`,
          ],
          notes: [
            'Wenn Sie das nicht waren, ändern Sie sofort Ihr Passwort: Damit ist die Umstellung hinfällig, und alle anderen Sitzungen enden.',
          ],
        }
      : {
          subject: 'Ihre E-Mail-Adresse wurde geändert',
          greeting: hello.de(firstName),
          paragraphs: [
            `Am ${momentIn('de', at)} wurde Ihr Konto von dieser Adresse auf ${email} umgestellt. Melden Sie sich künftig mit dieser an.`,
          ],
          notes: [
            'Wenn Sie das nicht waren, wenden Sie sich sofort an den Betreiber der Plattform.',
          ],
        },
}

export interface LoginChanged {
  firstName: string
  email: string
  organisation: string
  by: string
}

/** Tells the old address that an administrator has changed the login. */
export const loginChanged: Template<LoginChanged> = {
  en: ({ firstName, email, organisation, by }) => ({
    subject: 'An administrator changed your login',
    greeting: hello.en(firstName),
    paragraphs: [
      `${by} of ${organisation} has changed the login of your account to ${email}. Your password works with it at once. Links that were mailed to you before no longer work.`,
    ],
    notes: ['If this is unexpected, ask the administrators of the organisation.'],
  }),
  de: ({ firstName, email, organisation, by }) => ({
    subject: 'Ihre Anmeldeadresse wurde von der Administration geändert',
    greeting: hello.de(firstName),
    paragraphs: [
      `${by} von ${organisation} hat die Anmeldeadresse Ihres Kontos auf ${email} geändert. Ihr Passwort gilt dort sofort. Links, die Ihnen vorher zugeschickt wurden, gelten nicht mehr.`,
    ],
    notes: ['Wenn Sie das nicht erwartet haben, fragen Sie die Administration der Organisation.'],
  }),
}
