import { randomBytes } from 'node:crypto'
import type { KeyRing } from '../../shared/seal.ts'
import { mac } from '../../shared/tokens.ts'

const PURPOSE = 'recovery code'
// Crockford's base32: no I, L, O or U, so that nothing is misread
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
/** 50 random bits, which no budget of guesses exhausts. */
const LENGTH = 10
const GROUP = 5

/** How many codes a person is given. */
export const CODES_GIVEN = 10

/** A fresh code as it is shown, such as `k3m9x-7qw2c`. */
export function newRecoveryCode(): string {
  // 256 is a multiple of 32: every letter is as likely
  const letters = [...randomBytes(LENGTH)].map(byte => ALPHABET[byte % ALPHABET.length]).join('')
  return `${letters.slice(0, GROUP)}-${letters.slice(GROUP)}`
}

/** A code as typed, whatever its case, spaces and dashes; null for what cannot be one. */
export function readRecoveryCode(text: string): string | null {
  const code = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s\p{Pd}]/gu, '')
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1')
  return code.length === LENGTH && [...code].every(letter => ALPHABET.includes(letter))
    ? code
    : null
}

/** What may be stored in a code's place, by every key of the ring, the newest first: without a key it tells nothing. */
export const recoveryDigests = (ring: KeyRing, userId: string, code: string): string[] =>
  ring.derived(PURPOSE).map(key => mac(key, `${userId} ${code}`).toString('base64url'))
