import { dictionary } from '@zxcvbn-ts/language-common'
import { fold } from '../../shared/normalise.ts'

/** Below this an attacker needs few enough guesses to be worth the try: about 2²⁸. */
export const COMMON_BITS = 28

const LONGEST_WORD = 32
/** What stood before, again. */
const AGAIN_BITS = 2
const ROWS = [
  '1234567890',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'yxcvbnm',
  'azertyuiop',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm',
].flatMap(row => [row, [...row].toReversed().join('')])
/** Characters that stand for letters. */
const DISGUISES: Record<string, string> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

let known: Map<string, number> | undefined

/** Common passwords and words, with how many bits a guess at each is worth: the commoner, the fewer. */
function words(): Map<string, number> {
  if (known) return known
  known = new Map()
  const { 'passwords-common': passwords, 'diceware-common': diceware } = dictionary
  for (const word of diceware) known.set(word, Math.log2(diceware.length))
  for (const [rank, password] of passwords.entries()) {
    const bits = Math.log2(rank + 2)
    if (bits < (known.get(password) ?? Infinity)) known.set(password, bits)
  }
  return known
}

/** Parts of names and addresses that an attacker would try first, folded. */
const partsOf = (about: readonly string[]): Set<string> =>
  new Set(
    about
      .flatMap(text => {
        const parts = fold(text).split(/[^\p{L}\p{N}]+/u)
        return [...parts, parts.join('')]
      })
      .filter(part => part.length > 2),
  )

/**
 * How hard a password is to guess, in bits, for somebody who tries common passwords, names and words first, then
 * runs, repeats, years and single characters: the least over all ways to put it together.
 *
 * @param about names and addresses of the person and their organisations.
 */
export function guessBits(password: string, about: readonly string[]): number {
  const plain = [...fold(password)]
  const undisguised = plain.map(letter => DISGUISES[letter] ?? letter)
  const parts = partsOf(about)
  const bits = leastBits(plain, parts)
  return plain.join('') === undisguised.join('')
    ? bits
    : Math.min(bits, leastBits(undisguised, parts) + 1)
}

function leastBits(letters: string[], parts: Set<string>): number {
  const least = [0]
  const firstAt = new Map<string, number>()
  for (let end = 1; end <= letters.length; end += 1) {
    let best = least[end - 1]! + singleBits(letters[end - 1]!)
    for (let start = Math.max(0, end - LONGEST_WORD); start < end - 1; start += 1) {
      const text = letters.slice(start, end).join('')
      const before = firstAt.get(text) ?? end
      const bits = before <= start ? AGAIN_BITS : tokenBits(text, parts)
      if (bits !== undefined) best = Math.min(best, least[start]! + bits)
      if (before === end && end - start > 2) firstAt.set(text, end)
    }
    for (let length = 1; length * 2 <= end; length += 1)
      if (repeats(letters, end, length)) best = Math.min(best, least[end - length]! + 1)
    least.push(best)
  }
  return least[letters.length]!
}

/** What a piece of several characters is worth; undefined where there is nothing to it. */
function tokenBits(text: string, parts: Set<string>): number | undefined {
  if (parts.has(text)) return 1
  const found = words().get(text)
  if (found !== undefined) return found + 1
  if (text.length > 2 && isRun(text)) return 4 + Math.log2(text.length)
  return /^(?:19|20)\d\d$/.test(text) ? 7 : undefined
}

function singleBits(letter: string): number {
  if (letter === ' ') return 1
  if (/^[0-9]$/.test(letter)) return Math.log2(10)
  if (/^[a-z]$/.test(letter)) return Math.log2(26)
  return letter.codePointAt(0)! < 128 ? 4 : 7
}

/** Whether the characters before `end` repeat the ones before them. */
function repeats(letters: string[], end: number, length: number): boolean {
  for (let index = end - length; index < end; index += 1)
    if (letters[index] !== letters[index - length]) return false
  return true
}

/** `abcd`, `4321`, `asdf`: characters that follow each other in the alphabet or on a keyboard. */
function isRun(text: string): boolean {
  if (ROWS.some(row => row.includes(text))) return true
  const codes = [...text].map(letter => letter.codePointAt(0)!)
  const step = codes[1]! - codes[0]!
  return (
    Math.abs(step) === 1 &&
    codes.every((code, index) => index === 0 || code === codes[index - 1]! + step)
  )
}
