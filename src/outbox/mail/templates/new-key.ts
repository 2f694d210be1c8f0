import { hello, type Template } from './language.ts'

export interface NewKey {
  organisation: string
  firstName: string
  keyName: string
  what: 'created' | 'renewed'
  by: string
}

/** Tells the owner of an API key that it was made or renewed. */
export const newKey: Template<NewKey> = {
  en: ({ organisation, firstName, keyName, what, by }) => ({
    subject: `An API key of yours was ${what} in ${organisation}`,
    greeting: hello.en(firstName),
    paragraphs: [
      `${by} has ${what} the API key "${keyName}", which acts in your name in ${organisation}.`,
    ],
    notes: ['If this is unexpected, revoke the key and tell an administrator.'],
  }),
  de: ({ organisation, firstName, keyName, what, by }) => ({
    subject: `Ein API-Schlüssel von Ihnen wurde in ${organisation} ${what === 'created' ? 'angelegt' : 'erneuert'}`,
    greeting: hello.de(firstName),
    paragraphs: [
      `${by} hat den API-Schlüssel „${keyName}“ ${what === 'created' ? 'angelegt' : 'erneuert'}, der in ${organisation} in Ihrem Namen handelt.`,
    ],
    notes: [
      'Wenn Sie das nicht erwartet haben, widerrufen Sie den Schlüssel und sagen Sie der Administration Bescheid.',
    ],
  }),
}
