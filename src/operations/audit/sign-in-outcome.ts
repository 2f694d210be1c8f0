import { AppError } from '../../shared/errors.ts'
import type { SignInOutcome } from '../../shared/metrics.ts'

/** What ends in a session; who came in is counted where sessions begin. */
const WAYS_IN = new Set(['signIn', 'signInWithMagicLink', 'verifyMfa'])

/** What came of a try to sign in that failed with this error; null for a mutation that is none. */
export function signInOutcome(mutation: string, error: unknown): SignInOutcome | null {
  if (!WAYS_IN.has(mutation)) return null
  if (!(error instanceof AppError)) return 'failed'
  if (error.code === 'RATE_LIMITED') return 'delayed'
  return /^(SERVICE_UNAVAILABLE|INTERNAL_SERVER_ERROR)$/.test(error.code) ? 'failed' : 'refused'
}
