import { layOut, type RenderedMail } from './layout.ts'

export interface NewKey {
  organisation: string
  firstName: string
  keyName: string
  what: 'created' | 'renewed'
  by: string
}

/** Tells the owner of an API key that it was made or renewed. */
export function newKey(data: NewKey, locale: string): RenderedMail {
  const { organisation, firstName, keyName, what, by } = data
  return layOut({
    locale,
    subject: `An API key of yours was ${what} in ${organisation}`,
    paragraphs: [
      firstName ? `Hello ${firstName},` : 'Hello,',
      `${by} has ${what} the API key "${keyName}", which acts in your name in ${organisation}.`,
    ],
    notes: ['If this is unexpected, revoke the key and tell an administrator.'],
  })
}
