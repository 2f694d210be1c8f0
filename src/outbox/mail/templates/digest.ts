import { hello, momentIn, type Template } from './language.ts'

export interface Digest {
  firstName: string
  frequency: 'DAILY' | 'WEEKLY'
  /** What has happened, the oldest first; `at` in ISO 8601. */
  items: { at: string; message: string }[]
  /** How many more there are than the mail lists. */
  more: number
}

/** Tells a person of everything at once that they did not want to be told of at once. */
export const digest: Template<Digest> = {
  en: ({ firstName, frequency, items, more }) => ({
    subject: frequency === 'DAILY' ? 'Your day in brief' : 'Your week in brief',
    greeting: hello.en(firstName),
    paragraphs: [
      'This has happened:',
      ...items.map(({ at, message }) => `${momentIn('en', at)}: ${message}`),
      ...(more ? [`And ${more} more, which are in your list of notifications.`] : []),
    ],
    notes: [`You get this mail ${frequency === 'DAILY' ? 'once a day' : 'once a week'} at most.`],
  }),
  de: ({ firstName, frequency, items, more }) => ({
    subject: frequency === 'DAILY' ? 'Ihr Tag in Kürze' : 'Ihre Woche in Kürze',
    greeting: hello.de(firstName),
    paragraphs: [
      'Das ist geschehen:',
      ...items.map(({ at, message }) => `${momentIn('de', at)}: ${message}`),
      ...(more ? [`Und ${more} weitere, die in Ihrer Liste der Mitteilungen stehen.`] : []),
    ],
    notes: [
      `Sie erhalten diese Mail höchstens einmal ${frequency === 'DAILY' ? 'am Tag' : 'in der Woche'}.`,
    ],
  }),
}
