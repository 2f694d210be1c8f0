import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const START = 'gk_'
/** 43 characters of 62 hold 256 bits. */
const RANDOM_LENGTH = 43
const CHECKSUM_LENGTH = 6
const SHOWN_LENGTH = START.length + 8

/**
 * A fresh key: `gk_`, 256 random bits in base 62, and a CRC-32 of both in base 62, by which scanners of leaked secrets
 * tell a key from noise without asking.
 */
export function newSecret(): string {
  const body =
    START +
    Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  return body + checksum(body)
}

/** What may be shown of a key ever after. */
export const prefixOf = (secret: string): string => secret.slice(0, SHOWN_LENGTH)

export const hasKeyPrefix = (token: string): boolean => token.startsWith(START)

/** Whether a token has the shape of a key; what has not is never looked up. */
export function isWellFormed(token: string): boolean {
  if (token.length !== START.length + RANDOM_LENGTH + CHECKSUM_LENGTH) return false
  const body = token.slice(0, -CHECKSUM_LENGTH)
  return checksum(body) === token.slice(-CHECKSUM_LENGTH)
}

function checksum(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let place = 0; place < CHECKSUM_LENGTH; place += 1) {
    text = ALPHABET[rest % ALPHABET.length]! + text
    rest = Math.floor(rest / ALPHABET.length)
  }
  return text
}
