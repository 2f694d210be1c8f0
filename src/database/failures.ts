import { ConfigError } from '../shared/config.ts'
import { AppError, conflict, unavailable } from '../shared/errors.ts'

const GONE = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])
// PostgreSQL's codes (appendix A): 08 connections, 53 resources, 57P shutdown; a statement or a transaction that took
// too long; and what a repetition cures: serialisation failure, deadlock, lock not available.
const PASSING = /^(08...|53...|57P..|57014|25P0[34]|40001|40P01|55P03)$/
// pg and its pool tell these by their words alone.
const WORDS =
  /connection terminated|connection error|connection timeout|query read timeout|timeout exceeded when trying to connect|client was closed|not queryable|after calling end on the pool/i
const UNIQUE_VIOLATION = '23505'

interface DatabaseFailure {
  code?: unknown
  message?: string
  constraint?: string
  cause?: unknown
}

const chain = (error: unknown): DatabaseFailure[] =>
  error && typeof error === 'object' ? [error, ...chain((error as DatabaseFailure).cause)] : []

/** The name of the unique rule that a statement broke, if that is what happened. */
function brokenUnique(error: unknown): string | undefined {
  const failure = chain(error).find(each => each.code === UNIQUE_VIOLATION)
  return (
    failure &&
    (failure.constraint ?? /constraint "([^"]+)"/.exec(failure.message ?? '')?.[1] ?? 'unknown')
  )
}

/** True where a statement broke a unique rule: somebody else was there first. */
export const isTaken = (error: unknown): boolean => brokenUnique(error) !== undefined

// PostgreSQL's codes for characters that it cannot keep, such as NUL.
const UNSTORABLE = new Set(['22021', '22P05'])

/** True where a text holds what no database keeps. */
export const isUnstorable = (error: unknown): boolean =>
  chain(error).some(({ code }) => typeof code === 'string' && UNSTORABLE.has(code))

/** True where the database is away or overtaxed, so that the same request may well succeed in a moment. */
export const isPassing = (error: unknown): boolean =>
  chain(error).some(({ code, message }) =>
    typeof code === 'string' ? GONE.has(code) || PASSING.test(code) : WORDS.test(message ?? ''),
  )

/** Turns what the database refuses into words for the caller; everything else stays what it is. */
export function sayFailure(error: unknown): never {
  if (error instanceof AppError) throw error
  if (brokenUnique(error))
    throw conflict('ALREADY_EXISTS', 'Something with the same name or address is already there.')
  if (isPassing(error)) throw Object.assign(unavailable(), { cause: error })
  throw error
}

/**
 * What to tell whoever starts a program that cannot go on: a sentence where its surroundings are at fault (settings,
 * database, port), and the whole error where we are.
 */
export function explain(error: unknown): unknown {
  if (error instanceof AggregateError) return error.errors.map(explain).join('\n')
  const known = error instanceof ConfigError || chain(error).some(each => each.code !== undefined)
  return known && error instanceof Error ? error.message : error
}
