import { lockAccount } from '../callers/standing.ts'
import type { Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { AppError, conflict, notFound } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { dropChallenges } from '../challenges/challenge.service.ts'
import { closeLinks } from '../links/link.service.ts'
import { dropRecoveryCodes, replaceRecoveryCodes } from '../recovery-codes/recovery-code.service.ts'
import { tellOfFactor } from './mfa.notice.ts'
import { findCode, useCode, type CodeTools } from './second-factor.service.ts'

const CODE = ['code']

/** How an account stands with second factors, and the session that asks. */
export interface SecondFactor {
  /** How many it has confirmed. */
  factors: number
  /** The session has proven one. */
  provenHere: boolean
}

/** Reads it with the account locked against change; as *system*. */
export async function readSecondFactor(work: Work, viewer: Person): Promise<SecondFactor> {
  await lockAccount(work, viewer.userId)
  const row = await firstRow<SecondFactor>(
    work.db,
    sql`select (select count(*)::int from totp_factor f where f.user_id = s.user_id and f.confirmed_at is not null
        and f.removed_at is null) as factors, s.mfa_verified_at is not null as "provenHere"
      from session s where s.id = ${viewer.sessionId} and s.ended_at is null`,
  )
  if (!row) throw notFound('session')
  return row
}

/**
 * What an account has proven is worth something anew: its other sessions, pending links and challenges end; as
 * *system*.
 */
export async function endOtherAccess(work: Work, viewer: Person, reason: string): Promise<void> {
  await work.db.rows(sql`
    update session set ended_at = ${work.now}, end_reason = ${reason}
    where user_id = ${viewer.userId} and id <> ${viewer.sessionId} and ended_at is null`)
  await dropChallenges(work, viewer.userId)
  // a link that proves the mailbox leads nowhere by itself, and its reader has no other
  await closeLinks(work, viewer.userId, ['MAGIC_LINK', 'PASSWORD_RESET', 'EMAIL_CHANGE'])
}

/**
 * Removes one factor, proven once more by a code of its own or a recovery code. With the last one go the recovery
 * codes; where a policy insists, a factor is owed again.
 *
 * @throws {AppError} `NOT_FOUND`, `BAD_USER_INPUT` / `CODE_INVALID`, `RATE_LIMITED`.
 */
export async function removeMfaFactor(
  tools: CodeTools,
  viewer: Person,
  id: string,
  code: string,
): Promise<void> {
  const { userId } = viewer
  const factor = isId(id)
    ? await firstRow<{ name: string }>(
        tools.system,
        sql`select name from totp_factor where id = ${id} and user_id = ${userId}
          and confirmed_at is not null and removed_at is null`,
      )
    : undefined
  if (!factor) throw notFound('factor')
  const found = await findCode(tools, { userId, code, factorId: id, path: CODE })
  await tools.asSystem(async work => {
    await readSecondFactor(work, viewer)
    await useCode(work, found, CODE)
    if (!(await forget(work, userId, id))) throw notFound('factor')
    const { factors: left } = await readSecondFactor(work, viewer)
    if (!left) await dropRecoveryCodes(work, userId)
    await endOtherAccess(work, viewer, 'a second factor was removed')
    await tellOfFactor(work, viewer, {
      topic: left ? 'mfa.factor_removed' : 'mfa.disabled',
      factor: { id, name: factor.name },
    })
  })
  await found.handBack()
}

/** Takes factors away and forgets their seeds; answers how many were in force. */
async function forget(work: Work, userId: string, id: string | null = null): Promise<number> {
  const gone = await work.db.rows<{ confirmed: boolean }>(sql`
    update totp_factor set removed_at = ${work.now}, sealed_seed = ''
    where user_id = ${userId} and removed_at is null and (${id}::uuid is null or id = ${id})
    returning confirmed_at is not null as confirmed`)
  return gone.filter(({ confirmed }) => confirmed).length
}

/**
 * Takes all second factors of an account away, with its recovery codes and challenges: when a mailbox is first proven,
 * or an operator resets them; as *system*. Answers how many were in force.
 */
export async function dropSecondFactors(work: Work, userId: string): Promise<number> {
  const gone = await forget(work, userId)
  await dropRecoveryCodes(work, userId)
  await dropChallenges(work, userId)
  return gone
}

/**
 * Puts fresh recovery codes in the place of all there were; as *system*.
 *
 * @throws {AppError} `CONFLICT` / `STATE_MISMATCH` without a factor, `MFA_REQUIRED` where the session has proven none.
 */
export async function regenerateRecoveryCodes(work: Work, viewer: Person): Promise<string[]> {
  const { factors, provenHere } = await readSecondFactor(work, viewer)
  if (!factors)
    throw conflict('STATE_MISMATCH', 'Add an authenticator first: it brings recovery codes.')
  if (!provenHere)
    throw new AppError('MFA_REQUIRED', 'Prove your second factor with `reauthenticate` first.')
  const codes = await replaceRecoveryCodes(work, viewer.userId)
  await record(work, 'mfa.recovery_codes_replaced', {
    organisationId: null,
    target: { kind: 'User', id: viewer.userId, name: viewer.name },
  })
  return codes
}
