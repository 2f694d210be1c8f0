import type { Session } from './session.type.ts'

/**
 * How sure one can be of a session's person, in the words of RFC 8176: `pwd` for a password, `mca` for a link that
 * went another way than the browser's, `otp` and `mfa` where a second factor was proven too. `acr` counts the factors.
 */
export function assuranceOf(session: Pick<Session, 'method' | 'mfaVerifiedAt'>): {
  amr: string[]
  acr: string
} {
  const first = session.method === 'PASSWORD' ? 'pwd' : 'mca'
  return session.mfaVerifiedAt
    ? { amr: [first, 'otp', 'mfa'], acr: '2' }
    : { amr: [first], acr: '1' }
}
