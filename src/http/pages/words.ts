import { german } from './words.de.ts'
import { english, type Words } from './words.en.ts'

const LANGUAGES: Record<string, Words> = { en: english, de: german }

/** The texts in the language that a browser likes best of those there are; English otherwise. */
export function chooseWords(acceptLanguage: string | undefined): Words {
  const liked = (acceptLanguage ?? '')
    .split(',')
    .map(readPreference)
    .filter(({ language, weight }) => weight > 0 && Object.hasOwn(LANGUAGES, language))
    // stable, so that of two liked alike the first named wins
    .toSorted((left, right) => right.weight - left.weight)
  return LANGUAGES[liked[0]?.language ?? 'en']!
}

/** `de-AT;q=0.8` is German, liked to 0.8. */
function readPreference(entry: string): { language: string; weight: number } {
  const [range = '', ...parameters] = entry.split(';').map(part => part.trim().toLowerCase())
  const weight = parameters.find(parameter => parameter.startsWith('q='))?.slice(2)
  return { language: range.split('-')[0]!, weight: weight === undefined ? 1 : Number(weight) || 0 }
}
