/** The languages that mails and pages are written in; the first for whoever likes none of them. */
const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

const known = (language: string): Language | undefined =>
  LANGUAGES.find(each => each === language.toLowerCase())

/** The language for a person whose locale is `de-AT`, say; English where theirs is none of ours. */
export const languageOf = (locale: string): Language =>
  known(locale.split(/[-_]/)[0]!) ?? LANGUAGES[0]

/**
 * The language that a browser likes best of those there are (RFC 9110, section 12.5.4); null where it likes none of
 * them, or says nothing.
 */
export function likedLanguage(acceptLanguage: string | undefined): Language | null {
  const liked = (acceptLanguage ?? '')
    .split(',')
    .map(readPreference)
    .flatMap(({ range, weight }) => {
      const language = known(range.split('-')[0]!)
      return weight > 0 && language ? [{ language, weight }] : []
    })
    // stable, so that of two liked alike the first named wins
    .toSorted((left, right) => right.weight - left.weight)
  return liked[0]?.language ?? null
}

/** `de-AT;q=0.8` is German, liked to 0.8. */
function readPreference(entry: string): { range: string; weight: number } {
  const [range = '', ...parameters] = entry.split(';').map(part => part.trim().toLowerCase())
  const weight = parameters.find(parameter => parameter.startsWith('q='))?.slice(2)
  return { range, weight: weight === undefined ? 1 : Number(weight) || 0 }
}
