import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import type { SessionTask } from '../../access/viewer.ts'
import { isId } from '../../shared/tokens.ts'
import { ALGORITHM } from '../signing-keys/rotation.ts'
import type { SigningKeys } from '../signing-keys/signing-keys.ts'

const TYPE = 'at+jwt'
const MOST_REMEMBERED = 20_000
// a hundred permissions of an organisation's own fit
const LONGEST_TOKEN = 12_288

/** What an access token says (RFC 9068), beside `iss`, `aud`, `iat` and `exp`. */
export interface AccessClaims {
  sub: string
  sid: string
  /** Generation of the session: a switch or step-up raises it, and older tokens stop. */
  gen: number
  org?: string
  prj?: string
  role?: string
  permissions?: string[]
  amr: string[]
  acr: string
  auth_time: number
  tasks?: SessionTask[]
}

export interface VerifiedToken {
  sessionId: string
  userId: string
  generation: number
  expiresAt: number
  kid: string
}

export interface AccessTokenOptions {
  keys: SigningKeys
  publicUrl: string
  seconds: number
  now: () => Date
}

/** Issues access tokens, and checks those that come back. */
export class AccessTokens {
  readonly #options: AccessTokenOptions
  // Checking a signature costs ten times the look-up that follows, so verified tokens are remembered until they run
  // out. Only the signature is: the session behind the token is read for every request.
  readonly #verified = new Map<string, { token: string; verified: VerifiedToken }>()

  constructor(options: AccessTokenOptions) {
    this.#options = options
  }

  async issue(claims: AccessClaims): Promise<{ token: string; expiresAt: Date }> {
    const { keys, publicUrl, seconds, now } = this.#options
    const issued = Math.floor(now().getTime() / 1000)
    const { kid, key } = await keys.signer()
    const token = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
      .setIssuer(publicUrl)
      .setAudience(publicUrl)
      .setIssuedAt(issued)
      .setExpirationTime(issued + seconds)
      .sign(key)
    return { token, expiresAt: new Date((issued + seconds) * 1000) }
  }

  /** Null for everything that is not a token of ours that still holds. */
  async verify(token: string): Promise<VerifiedToken | null> {
    const known = this.#verified.get(endOf(token))
    const now = this.#options.now()
    if (known?.token === token) {
      const { expiresAt, kid } = known.verified
      // a key that leaked is dropped before its tokens have run out
      if (expiresAt > now.getTime() && this.#options.keys.holds(kid)) return known.verified
      this.#verified.delete(endOf(token))
      return null
    }
    if (token.length > LONGEST_TOKEN) return null
    const verified = await this.#check(token, now).catch(notOurs)
    if (verified) this.#remember(token, verified)
    return verified
  }

  async #check(token: string, now: Date): Promise<VerifiedToken | null> {
    const { kid } = decodeProtectedHeader(token)
    const known = typeof kid === 'string' ? await this.#options.keys.find(kid) : null
    if (!known) return null
    const { payload } = await jwtVerify(token, known.key, {
      algorithms: [ALGORITHM],
      typ: TYPE,
      issuer: this.#options.publicUrl,
      audience: this.#options.publicUrl,
      currentDate: now,
      requiredClaims: ['sub', 'sid', 'gen', 'exp', 'iat'],
    })
    const { sub, sid, gen, exp } = payload
    if (!isId(sub) || !isId(sid) || typeof gen !== 'number' || typeof exp !== 'number') return null
    return { sessionId: sid, userId: sub, generation: gen, expiresAt: exp * 1000, kid: known.kid }
  }

  #remember(token: string, verified: VerifiedToken): void {
    if (this.#verified.size >= MOST_REMEMBERED) {
      const oldest = this.#verified.keys().next().value
      if (oldest !== undefined) this.#verified.delete(oldest)
    }
    this.#verified.set(endOf(token), { token, verified })
  }
}

/** The end of its signature, by which a token is found; it is compared as a whole. */
const endOf = (token: string): string => token.slice(-32)

/** A token that does not hold is no failure; a database that does not answer is. */
function notOurs(error: unknown): null {
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_J'))
    return null
  if (error instanceof TypeError || error instanceof SyntaxError) return null
  throw error
}
