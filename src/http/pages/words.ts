import { likedLanguage, type Language } from '../../shared/languages.ts'
import { german } from './words.de.ts'
import { english, type Words } from './words.en.ts'

const WORDS: Record<Language, Words> = { en: english, de: german }

/** The texts in the language that a browser likes best of those there are; English otherwise. */
export const chooseWords = (acceptLanguage: string | undefined): Words =>
  WORDS[likedLanguage(acceptLanguage) ?? 'en']
