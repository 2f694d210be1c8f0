import { generateSecret, generateSync } from 'otplib'
import { sameSecret } from '../../shared/tokens.ts'

/** RFC 6238 as every authenticator app understands it: SHA-1, six digits, a step of 30 seconds. */
const PERIOD_SECONDS = 30
const DIGITS = 6
/** What RFC 4226, section 4, recommends: 160 bits. */
const SEED_BYTES = 20
/** Steps by which the clock of a phone may be off, either way. */
const TOLERANCE = 1

/** A fresh seed in base32. */
export const newSeed = (): string => generateSecret({ length: SEED_BYTES })

/** The time step that an instant lies in. */
export const stepAt = (now: Date): number => Math.floor(now.getTime() / 1000 / PERIOD_SECONDS)

/** The code of one time step. */
export const codeAt = (seed: string, step: number): string =>
  generateSync({
    secret: seed,
    epoch: step * PERIOD_SECONDS,
    period: PERIOD_SECONDS,
    digits: DIGITS,
    algorithm: 'sha1',
  })

/** A code as typed, with the spaces that apps show; null for what cannot be one. */
export function readTotpCode(text: string): string | null {
  const code = text.normalize('NFKC').replaceAll(/[\s-]/g, '')
  return /^[0-9]{6}$/.test(code) ? code : null
}

/** The steps around `now` whose code this is, the earliest first; each is compared, whatever the others said. */
export function stepsOf(seed: string, code: string, now: Date): number[] {
  const present = stepAt(now)
  const given = Buffer.from(code)
  return [present - TOLERANCE, present, present + TOLERANCE].filter(step =>
    sameSecret(Buffer.from(codeAt(seed, step)), given),
  )
}

/** What an authenticator app reads from a QR code (Key URI Format). */
export function enrolmentUri(issuer: string, login: string, seed: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(login)}`
  const query = {
    secret: seed,
    issuer,
    algorithm: 'SHA1',
    digits: String(DIGITS),
    period: String(PERIOD_SECONDS),
  }
  // apps show a plus as it is
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return `otpauth://totp/${label}?${pairs.join('&')}`
}
