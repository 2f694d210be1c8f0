import { asOperator, ownLock } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { dropChallenges } from '../../credentials/challenges/challenge.service.ts'
import { clearOut } from '../../credentials/links/clear-out.service.ts'
import { tellOfReset } from '../../credentials/totp/mfa.notice.ts'
import { dropSecondFactors } from '../../credentials/totp/mfa.service.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import type { Change } from '../../outbox/events/person.ts'
import type { TopicName } from '../../outbox/events/topics.ts'
import { AppError, badInput, conflict } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { untilChange } from '../members/acts.service.ts'
import { readReason } from '../members/reason.ts'

interface AccountRow {
  id: string
  name: string
  status: string
  lockedAt: string | null
  suspendedUntil: string | null
  operator: boolean
}

/** Stops an account's new sign-ins and key use everywhere; open sessions run on. */
export const lockUser = (work: Work, id: string, reason: string | null) =>
  change(work, id, 'user.locked', readReason(reason), async account => {
    await work.db.rows(
      sql`update user_account set locked_at = coalesce(locked_at, ${work.now}), updated_at = ${work.now} where id = ${account.id}`,
    )
    await mustKeepOperator(work)
  })

/** Lifts an account lock. */
export const unlockUser = (work: Work, id: string) =>
  change(work, id, 'user.unlocked', null, async account => {
    if (account.id === work.viewer?.userId && account.lockedAt) throw ownLock()
    await work.db.rows(
      sql`update user_account set locked_at = null, updated_at = ${work.now} where id = ${account.id}`,
    )
  })

/** Bars an account everywhere, until a moment or until told; its sessions end at once. */
export function suspendUser(work: Work, id: string, reason: string | null, until: Date | null) {
  if (until && until <= work.now)
    throw badInput(['input', 'until'], 'OUT_OF_RANGE', 'A suspension ends in the future.')
  return change(work, id, 'user.suspended', readReason(reason, ['input', 'reason']), account =>
    bar(work, account, 'SUSPENDED', until),
  )
}

/** Bars an account everywhere until further notice; its sessions end at once. */
export const deactivateUser = (work: Work, id: string, reason: string | null) =>
  change(work, id, 'user.deactivated', readReason(reason), account =>
    bar(work, account, 'INACTIVE', null),
  )

async function bar(
  work: Work,
  { id, status: before, suspendedUntil }: AccountRow,
  status: string,
  until: Date | null,
): Promise<Change[]> {
  await work.db.rows(sql`
    update user_account set status = ${status}, suspended_until = ${until}, updated_at = ${work.now} where id = ${id}`)
  await endSessions(work, id, 'the account was barred')
  await mustKeepOperator(work)
  return [{ field: 'status', before, after: status }, ...untilChange(suspendedUntil, until)]
}

/** Readmits a suspended or inactive account. */
export const activateUser = (work: Work, id: string) =>
  change(work, id, 'user.activated', null, async account => {
    await work.db.rows(sql`
      update user_account set status = 'ACTIVE', suspended_until = null, updated_at = ${work.now} where id = ${account.id}`)
  })

/**
 * Takes all second factors of somebody who lost theirs away, ends their sessions and pending links, and tells them.
 *
 * @throws {AppError} `BAD_USER_INPUT` / `REQUIRED` without a reason.
 */
export function resetUserMfa(work: Work, id: string, reason: string): Promise<string> {
  if (!reason.trim())
    throw badInput(['reason'], 'REQUIRED', 'Say why: how you know who asks, for instance.')
  return change(work, id, 'mfa.reset', readReason(reason), account =>
    work.as(SYSTEM, async () => {
      await dropSecondFactors(work, account.id)
      await clearOut(work, account.id, { reason: 'second factors were reset' })
      await tellOfReset(work, account.id)
    }),
  )
}

/** Makes an account an operator of the platform. Only a proven one, for operators act by their mailbox too. */
export const grantOperator = (work: Work, id: string) =>
  change(work, id, 'operator.granted', null, async account => {
    const [granted] = await work.db.rows(sql`
      update user_account set operator = true, updated_at = ${work.now}
      where id = ${account.id} and email_verified_at is not null returning id`)
    if (!granted) throw conflict('STATE_MISMATCH', 'This account has not proven its address yet.')
  })

/** Ends an account's time as operator. */
export const revokeOperator = (work: Work, id: string) =>
  change(work, id, 'operator.revoked', null, async account => {
    await work.db.rows(
      sql`update user_account set operator = false, updated_at = ${work.now} where id = ${account.id}`,
    )
    await mustKeepOperator(work)
  })

/** Ends every session of an account. */
export async function revokeUserSessions(work: Work, id: string): Promise<number> {
  asOperator(work.viewer)
  const account = await getAccount(work, id)
  const count = await endSessions(work, account.id, 'revoked by an operator')
  await record(work, 'user.sessions_revoked', {
    organisationId: null,
    target: { kind: 'User', id: account.id, name: account.name },
    changes: [{ field: 'sessions', before: String(count), after: '0' }],
    byOperator: true,
  })
  return count
}

/** What waits for a second factor ends too, for it would become a session that nobody has ended. */
async function endSessions(work: Work, userId: string, reason: string): Promise<number> {
  await work.as(SYSTEM, () => dropChallenges(work, userId))
  const ended = await work.db.rows(sql`
    update session set ended_at = ${work.now}, end_reason = ${reason} where user_id = ${userId} and ended_at is null returning id`)
  return ended.length
}

/** One act on one account, as *operator*, with its event; the act says what it changed, where the topic does not. */
async function change(
  work: Work,
  id: string,
  topic: TopicName,
  reason: string | null,
  act: (account: AccountRow) => Promise<Change[] | void>,
): Promise<string> {
  asOperator(work.viewer)
  const account = await getAccount(work, id)
  const changes = await act(account)
  await record(work, topic, {
    organisationId: null,
    target: { kind: 'User', id: account.id, name: account.name },
    ...(changes && { changes }),
    reason,
    byOperator: true,
  })
  return account.id
}

/** An account by id. Those of operators are locked first, in the order of their ids, so that two acts cannot cross. */
async function getAccount(work: Work, id: string): Promise<AccountRow> {
  if (!isId(id)) throw noSuchUser()
  await work.db.rows(
    sql`select id from user_account where operator and deleted_at is null order by id for no key update`,
  )
  const account = await firstRow<AccountRow>(
    work.db,
    sql`select id, btrim(first_name || ' ' || last_name) as name, status, locked_at as "lockedAt",
        suspended_until as "suspendedUntil", operator
      from user_account where id = ${id} and deleted_at is null for no key update`,
  )
  if (!account) throw noSuchUser()
  return account
}

/** Whoever has a member at hand is likely to send that id. */
const noSuchUser = () =>
  new AppError(
    'NOT_FOUND',
    'There is no such user. An account has an id of its own: `Member.userId`, not `Member.id`.',
  )

/** @throws {AppError} `CONFLICT` / `LAST_ADMINISTRATOR` where no operator could sign in any more. */
export async function mustKeepOperator(work: Work): Promise<void> {
  const left = await firstRow(
    work.db,
    sql`select id from user_account where operator and deleted_at is null and locked_at is null
      and (status = 'ACTIVE' or (status = 'SUSPENDED' and suspended_until <= ${work.now})) limit 1`,
  )
  if (!left)
    throw conflict(
      'LAST_ADMINISTRATOR',
      'The platform must keep at least one operator who can sign in.',
    )
}
