import type { Language } from '../../../shared/languages.ts'
import type { MailText } from './layout.ts'

const TAGS: Record<Language, string> = { en: 'en-GB', de: 'de-DE' }

/** A mail in every language. One that lacks a language does not compile. */
export type Template<Data> = Record<Language, (data: Data) => MailText>

/** How a mail begins. */
export const hello: Record<Language, (firstName: string) => string> = {
  en: firstName => (firstName ? `Hello ${firstName},` : 'Hello,'),
  de: firstName => (firstName ? `Guten Tag ${firstName},` : 'Guten Tag,'),
}

/** A moment in words; a mail knows no time zone, so it names its own. */
export const momentIn = (language: Language, instant: string): string =>
  `${new Intl.DateTimeFormat(TAGS[language], {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(new Date(instant))} UTC`

/** What the small print of a mailed link says. */
export const onceUntil: Record<Language, (expiresAt: string) => string> = {
  en: expiresAt => `The link works once, until ${momentIn('en', expiresAt)}.`,
  de: expiresAt => `Der Link gilt einmal, bis ${momentIn('de', expiresAt)}.`,
}
