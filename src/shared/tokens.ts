import {
  createHmac,
  hash,
  randomBytes,
  randomFillSync,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto'
import { v7 } from 'uuid'

const ID_BYTES = 16
// fetched for many ids at once: for each by itself, asking costs more than making the id
const pool = Buffer.alloc(256 * ID_BYTES)
let taken = pool.length

function randomBits(): Buffer {
  if (taken === pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  return pool.subarray(taken, (taken += ID_BYTES))
}

/** A fresh id: UUIDv7 (RFC 9562, section 5.7), so that ids sort by time. */
export const newId = (): string => v7({ random: randomBits() })

let made = 0

/** A fresh id of a given moment, to the millisecond. Those that one process makes for one moment sort as they were made. */
export function newIdAt(moment: Date): string {
  made = (made + 1) >>> 0
  return v7({ random: randomBits(), msecs: moment.getTime(), seq: made })
}

/** The least id of a moment that is `shiftMs` away from another. */
export function firstIdAt(moment: Date, shiftMs = 0): string {
  const ms = Math.max(0, moment.getTime() + shiftMs)
  const hex = ms.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`
}

/** The moment that an id tells (UUIDv7), to the millisecond. */
export const momentOf = (id: string): Date =>
  new Date(parseInt(id.slice(0, 8) + id.slice(9, 13), 16))

/** 256 random bits in base64url, for links and other bearer secrets. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/** What is stored in a token's place: its SHA-256, in base64url. Tokens are random, so a plain hash suffices. */
export const digest = (token: string): string => hash('sha256', token, 'base64url')

/** HMAC-SHA-256 in bytes. */
export const mac = (key: KeyObject, data: string | Buffer): Buffer =>
  createHmac('sha256', key).update(data).digest()

/** Compares two secrets in constant time; different lengths are unequal. */
export function sameSecret(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export const isId = (value: unknown): value is string =>
  typeof value === 'string' && UUID.test(value)
