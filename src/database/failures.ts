import { AppError, conflict, unavailable } from '../shared/errors.ts'

const GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'ENOENT'])
// PostgreSQL's codes (appendix A): admin shutdown, cannot connect now, too many connections, and what a repetition
// cures: serialisation failure, deadlock, lock not available.
const PASSING = new Set(['57P01', '57P02', '57P03', '53300', '40001', '40P01', '55P03'])
const UNIQUE_VIOLATION = '23505'

interface DatabaseFailure {
  code?: string
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

/** True where the database is away or overtaxed, so that the same request may well succeed in a moment. */
export const isPassing = (error: unknown): boolean =>
  chain(error).some(
    each =>
      GONE.has(each.code ?? '') ||
      PASSING.has(each.code ?? '') ||
      each.code?.startsWith('08') ||
      /connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/i.test(
        each.message ?? '',
      ),
  )

/** Turns what the database refuses into words for the caller; everything else stays what it is. */
export function sayFailure(error: unknown): never {
  if (error instanceof AppError) throw error
  if (brokenUnique(error))
    throw conflict('ALREADY_EXISTS', 'Something with the same name or address is already there.')
  if (isPassing(error)) throw unavailable()
  throw error
}
