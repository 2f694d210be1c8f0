import QRCode from 'qrcode'
import type { Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { AppError, badInput, conflict, forbidden, notFound } from '../../shared/errors.ts'
import { singleLine } from '../../shared/normalise.ts'
import { isId, newId } from '../../shared/tokens.ts'
import { readPlatform } from '../../tenancy/policies/policy.ts'
import { replaceRecoveryCodes } from '../recovery-codes/recovery-code.service.ts'
import { reserveAttempt } from '../throttle/throttle.service.ts'
import { endOtherAccess, readSecondFactor } from './mfa.service.ts'
import { tellOfFactor } from './mfa.notice.ts'
import type { ConfirmTotpEnrolmentInput, TotpEnrolment } from './mfa.type.ts'
import { codeInvalid, type CodeTools } from './second-factor.service.ts'
import { openSeed, sealSeed } from './seed.ts'
import { enrolmentUri, newSeed, readTotpCode, stepsOf } from './totp.ts'

const ENROLMENT_SECONDS = 600
const MOST_FACTORS = 10
const LONGEST_NAME = 100
const CODE = ['input', 'code']

/**
 * Begins to add an authenticator app; as *system*. Nothing counts until it is confirmed, and beginning again discards
 * what was begun before.
 *
 * @throws {AppError} `FORBIDDEN` / `POLICY_FORBIDS` where second factors are switched off, `MFA_REQUIRED` where the
 * session has not proven the factor that the account has.
 */
export async function startTotpEnrolment(
  work: Work,
  viewer: Person,
  name: string | null,
): Promise<TotpEnrolment> {
  const words = readFactorName(name)
  // a page of a tenant would see the seed; it may where the tenant insists on a factor and there is none
  if (viewer.boundToId && viewer.owes !== 'ENROL_MFA')
    throw forbidden(
      'POLICY_FORBIDS',
      'This session was begun for one organisation. Sign in anew to add an authenticator.',
    )
  const platform = await mayEnrol(work, viewer)
  const id = newId()
  const secret = newSeed()
  const expiresAt = new Date(work.now.getTime() + ENROLMENT_SECONDS * 1_000)
  await work.db.rows(
    sql`delete from totp_factor where user_id = ${viewer.userId} and confirmed_at is null`,
  )
  await work.db.rows(sql`
    insert into totp_factor (id, created_at, user_id, name, sealed_seed, expires_at)
    values (${id}, ${work.now}, ${viewer.userId}, ${words}, ${sealSeed(work.server.keys, id, secret)}, ${expiresAt})`)
  const uri = enrolmentUri(platform.mfaIssuer, viewer.email, secret)
  return { id, secret, uri, qrCode: await drawQr(uri), expiresAt }
}

/** A QR code as an SVG `data:` address. */
async function drawQr(text: string): Promise<string> {
  const svg = await QRCode.toString(text, { type: 'svg', errorCorrectionLevel: 'M' })
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
}

function readFactorName(name: string | null): string {
  if (name == null) return 'Authenticator'
  const line = singleLine(name)
  if (!line || line.length > LONGEST_NAME)
    throw badInput(
      ['name'],
      line ? 'OUT_OF_RANGE' : 'INVALID_FORMAT',
      `A name is one line of 1 to ${LONGEST_NAME} characters.`,
    )
  return line
}

/** Locks the account, so that what is counted here still holds when it is written. */
async function mayEnrol(work: Work, viewer: Person) {
  const platform = await readPlatform(work.db)
  if (!platform.mfaEnabled)
    throw forbidden('POLICY_FORBIDS', 'Second factors are switched off on this platform.')
  const { factors, provenHere } = await readSecondFactor(work, viewer)
  if (factors && !provenHere)
    throw new AppError(
      'MFA_REQUIRED',
      'Prove the second factor that you have, with `reauthenticate`, before you add another.',
    )
  if (factors >= MOST_FACTORS)
    throw conflict('STATE_MISMATCH', `An account has at most ${MOST_FACTORS} authenticators.`)
  return platform
}

/**
 * Finishes adding an authenticator app. The first one turns second factors on: it brings ten recovery codes, shown
 * this once, and ends every other session, none of which has proven it.
 *
 * @throws {AppError} `NOT_FOUND` for an enrolment that is over, `BAD_USER_INPUT` / `CODE_INVALID`, `RATE_LIMITED`.
 */
export async function confirmTotpEnrolment(
  tools: CodeTools,
  viewer: Person,
  { enrolmentId: id, code }: ConfirmTotpEnrolmentInput,
): Promise<string[] | null> {
  const { system, keys, request, now } = tools
  const enrolment = isId(id)
    ? await firstRow<{ sealedSeed: string }>(
        system,
        sql`select sealed_seed as "sealedSeed" from totp_factor
          where id = ${id} and user_id = ${viewer.userId} and confirmed_at is null and expires_at > ${now}`,
      )
    : undefined
  if (!enrolment) throw notFound('enrolment')
  const platform = await readPlatform(system)
  const rules = {
    limit: platform.failedSignInLimit,
    windowMinutes: platform.failedSignInWindowMinutes,
  }
  const attempt = await reserveAttempt(
    system,
    'enrolment',
    viewer.userId,
    request.ipAddress,
    rules,
    now,
  )
  const digits = readTotpCode(code)
  const [step] = digits ? stepsOf(openSeed(keys, id, enrolment.sealedSeed), digits, now) : []
  if (step == null) throw codeInvalid(CODE)
  const codes = await tools.asSystem(work => confirm(work, viewer, id, step))
  await attempt.handBack()
  return codes
}

async function confirm(
  work: Work,
  viewer: Person,
  id: string,
  step: number,
): Promise<string[] | null> {
  await mayEnrol(work, viewer)
  const { factors: before } = await readSecondFactor(work, viewer)
  const confirmed = await firstRow<{ name: string }>(
    work.db,
    sql`update totp_factor set confirmed_at = ${work.now}, expires_at = null, last_step = ${step}, last_used_at = ${work.now}
      where id = ${id} and user_id = ${viewer.userId} and confirmed_at is null and expires_at > ${work.now} returning name`,
  )
  if (!confirmed) throw notFound('enrolment')
  await work.db.rows(
    sql`update session set mfa_verified_at = ${work.now} where id = ${viewer.sessionId}`,
  )
  const codes = before ? null : await replaceRecoveryCodes(work, viewer.userId)
  await endOtherAccess(work, viewer, 'a second factor was added')
  await tellOfFactor(work, viewer, {
    topic: before ? 'mfa.factor_added' : 'mfa.enabled',
    factor: { id, name: confirmed.name },
  })
  return codes
}
