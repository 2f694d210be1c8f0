import { hello, momentIn, type Template } from './language.ts'

export interface NewDevice {
  firstName: string
  /** Such as `Firefox on Linux`; null where nothing is known. */
  device: string | null
  address: string
  /** ISO 8601. */
  at: string
}

/** Tells a person of a sign-in from a device or a network that they had not used before. */
export const newDevice: Template<NewDevice> = {
  en: ({ firstName, device, address, at }) => ({
    subject: 'A sign-in from a new device',
    greeting: hello.en(firstName),
    paragraphs: [
      `Somebody signed in to your account on ${momentIn('en', at)}, with ${device ?? 'an unknown program'}, from the address ${address}. From there, or with that, nobody had signed in before.`,
    ],
    notes: [
      'If that was you, there is nothing to do. If not, ask for a new password on the sign-in page at once: that ends every session. Then tell an administrator.',
    ],
  }),
  de: ({ firstName, device, address, at }) => ({
    subject: 'Eine Anmeldung von einem neuen Gerät',
    greeting: hello.de(firstName),
    paragraphs: [
      `Am ${momentIn('de', at)} hat sich jemand an Ihrem Konto angemeldet, mit ${device ?? 'einem unbekannten Programm'}, von der Adresse ${address}. Von dort oder damit hatte sich zuvor niemand angemeldet.`,
    ],
    notes: [
      'Wenn Sie das waren, ist nichts zu tun. Wenn nicht, fordern Sie auf der Anmeldeseite sofort ein neues Passwort an: Das beendet jede Sitzung. Sagen Sie danach der Administration Bescheid.',
    ],
  }),
}
