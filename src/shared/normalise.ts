import { domainToASCII } from 'node:url'

// The grammar of HTML's `input type=email`, applied after the address was brought to its canonical form. A domain that
// ends in a number is an IPv4 address, however it was written (URL standard, section 3.5).
const EMAIL =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?!.*\.\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/
const LONGEST_EMAIL = 254

/**
 * The one form of an email address: trimmed, compatibility-composed (NFKC), lower case, its domain in ASCII.
 * Addresses that differ in case, width, composition or spelling of the domain become the same login.
 * Null when the result is no address.
 */
export function canonicalEmail(input: string): string | null {
  const text = input.trim().normalize('NFKC')
  const at = text.lastIndexOf('@')
  if (at < 1 || text.length > 320) return null
  // `domainToASCII` reads a URL's host, and would drop what follows it
  if (/[/?#\\%:\s]/.test(text.slice(at + 1))) return null
  const domain = domainToASCII(text.slice(at + 1))
  const address = `${text.slice(0, at).toLowerCase()}@${domain.toLowerCase()}`
  return address.length <= LONGEST_EMAIL && EMAIL.test(address) ? address : null
}

/**
 * Folds case, width and accents, for searching and sorting: `Élan` and `ELAN` become `elan`. What no database keeps, NUL
 * and halves of characters, becomes U+FFFD.
 */
export function fold(text: string): string {
  return (
    text
      .toWellFormed()
      .replaceAll('\0', '\ufffd')
      .normalize('NFKD')
      .replace(/\p{M}+/gu, '')
      .toLowerCase()
      .normalize('NFKC')
      // written so at the end of a word only, where a search may not have come to its end
      .replaceAll('ς', 'σ')
  )
}

const LONGEST_SORT_KEY = 200

/** What names are sorted by: folded, and short enough for an index. */
export const sortKey = (name: string): string => [...fold(name)].slice(0, LONGEST_SORT_KEY).join('')

const LONGEST_WORD = 64

const shorten = (word: string) =>
  word.length > LONGEST_WORD ? [...word].slice(0, LONGEST_WORD).join('') : word

/** The folded words of some texts, without repeats: what `search` matches the beginnings of. */
export function searchWords(...texts: string[]): string[] {
  const words = texts.flatMap(text => fold(text).split(/[^\p{L}\p{N}]+/u))
  return [...new Set(words.filter(Boolean).map(shorten))]
}

/** The least string above every string that begins with `prefix`, in the order of the C collation. */
export const afterPrefix = (prefix: string): string => `${prefix}\u{10FFFF}`

// Characters that break lines, hide or reorder text: unfit for names, and dangerous in mail headers.
const UNFIT =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u180e\u200b\u2028\u2029\u2060-\u2065\ufeff\p{Bidi_Control}]/u
// Blank to the eye: spaces, joiners, fillers, the empty Braille cell.
const INVISIBLE = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]+$/u

/** A line of text for people: trimmed and composed (NFC). Null when it holds control or reordering characters, or nothing that shows. */
export function singleLine(input: string): string | null {
  const text = input.trim().normalize('NFC')
  return UNFIT.test(text) || INVISIBLE.test(text) || !text.isWellFormed() ? null : text
}

// Within lines of text, tabs and ends of lines are fine.
const UNFIT_WITHIN =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\p{Bidi_Control}]/u

/** Whether some lines of text hold nothing that hides, turns around or ends text. */
export const isPlainText = (text: string): boolean =>
  !UNFIT_WITHIN.test(text) && text.isWellFormed()

// What mail programs make a link of, even in plain text. A bare domain stays: `Booking.com` is a name.
const LINK = /:\/\/|(?<![\p{L}\p{N}])www\.|\p{L}\.\p{L}{2,}[/?#]/iu

/** Whether a name would become a link in the mails that carry it. */
export const holdsLink = (name: string): boolean => LINK.test(name.normalize('NFKC'))

/** A short name for URLs made from a name: lower case ASCII letters, digits and dashes; empty when nothing is left. */
export const slugOf = (name: string): string =>
  fold(name)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48)
    .replace(/-+$/, '')
