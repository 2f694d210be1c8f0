import { asOperator, inSession } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { forgetNotices } from '../../accounts/notifications/notification.service.ts'
import { replaceAvatar } from '../../accounts/avatars/avatar.service.ts'
import { revokeKeysOf } from '../../credentials/api-keys/api-key.service.ts'
import { clearOut } from '../../credentials/links/clear-out.service.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record, type WaitingErasure } from '../../outbox/events/event.service.ts'
import { notFound, unavailable } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { endMembership } from '../../tenancy/memberships/membership.service.ts'
import { lockAdministration } from '../../tenancy/organisations/administration.ts'
import { mustKeepOperator } from '../operators/operator-users.service.ts'

/**
 * Deletes the account in use with its memberships, sessions, keys and whatever it proved itself by; as *system*.
 *
 * @throws {AppError} `CONFLICT` / `LAST_ADMINISTRATOR` where an organisation would be left without one, or the platform
 *   without an operator.
 */
export async function deleteAccount(work: Work): Promise<string> {
  const { userId, name } = inSession(work.viewer)
  const places = await work.db.rows<{ id: string }>(sql`
    select distinct organisation_id as id from principal where user_id = ${userId} and removed_at is null order by 1`)
  const keep: (() => Promise<void>)[] = []
  for (const { id } of places) keep.push(await lockAdministration(work, id))
  const left = await erase(work, userId)
  // joined a moment ago, before the account was locked: a repetition finds that organisation in time
  if (left.some(id => !places.some(place => place.id === id))) throw unavailable()
  for (const sayWhetherKept of keep) await sayWhetherKept()
  await record(work, 'user.deleted', {
    organisationId: null,
    target: { kind: 'User', id: userId },
    actor: { userId, principalId: null, name },
  })
  return userId
}

/** Deletes somebody's account, as an operator: organisations may be left without an administrator by it. As *system*. */
export async function deleteUser(work: Work, id: string): Promise<string> {
  asOperator(work.viewer)
  if (!isId(id)) throw notFound('user')
  await erase(work, id)
  await record(work, 'user.deleted', {
    organisationId: null,
    target: { kind: 'User', id },
    byOperator: true,
  })
  return id
}

/** Answers the organisations that the account belonged to. */
async function erase(work: Work, userId: string): Promise<string[]> {
  await lockWithOperators(work, userId)
  const memberships = await work.db.rows<{ id: string; organisationId: string }>(sql`
    select id, organisation_id as "organisationId" from principal
    where user_id = ${userId} and removed_at is null order by id for update`)
  for (const { id, organisationId } of memberships) {
    await endMembership(work, id)
    await revokeKeysOf(work, id)
    await record(work, 'member.left', { organisationId, target: { kind: 'Member', id } })
  }
  await clearOut(work, userId, { reason: 'the account was deleted' })
  await replaceAvatar(work, userId, null)
  await work.db.rows(sql`delete from totp_factor where user_id = ${userId}`)
  await work.db.rows(sql`delete from recovery_code where user_id = ${userId}`)
  await work.db.rows(sql`delete from avatar_upload where user_id = ${userId}`)
  await forget(work, userId)
  // in batches, for they may have done much
  await work.server.enqueue(work, 'event-erasure', { userId } satisfies WaitingErasure)
  await mustKeepOperator(work)
  return memberships.map(({ organisationId }) => organisationId)
}

/** Operators are locked in the order of their ids, so that two who go at once do not both see the other stay. */
async function lockWithOperators(work: Work, userId: string): Promise<void> {
  await work.db.rows(
    sql`select id from user_account where (operator or id = ${userId}) and deleted_at is null order by id for no key update`,
  )
  const account = await firstRow(
    work.db,
    sql`select id from user_account where id = ${userId} and deleted_at is null`,
  )
  if (!account) throw notFound('user')
}

/** The rows stay, for others refer to them; nothing of the person does. */
async function forget(work: Work, userId: string): Promise<void> {
  await forgetNotices(work, userId)
  await work.db.rows(sql`
    update user_account set deleted_at = ${work.now}, updated_at = ${work.now}, email = id || '@deleted.invalid',
      email_verified_at = null, first_name = '', last_name = '', phone_number = null, password_hash = null,
      password_changed_at = null, operator = false, locale = 'en', time_zone = 'UTC', last_organisation_id = null
    where id = ${userId}`)
  await work.db.rows(sql`
    update principal set email = id || '@deleted.invalid', first_name = 'Deleted', last_name = 'account',
      name = 'Deleted account', sort_name = 'deleted account', external_id = null, updated_at = ${work.now}
    where user_id = ${userId}`)
  await work.db.rows(sql`
    update invitation set email = id || '@deleted.invalid'
    where principal_id in (select id from principal where user_id = ${userId})`)
  await work.db.rows(
    sql`update session set ip_address = '', user_agent = null where user_id = ${userId}`,
  )
  await work.db.rows(sql`
    update api_key set last_used_ip_address = null
    where owner_id in (select id from principal where user_id = ${userId}) and last_used_ip_address is not null`)
  // words about them, as the trail's are
  await work.db.rows(sql`
    update access_review_item set note = null
    where principal_id in (select id from principal where user_id = ${userId}) and note is not null`)
  await work.db.rows(sql`delete from user_word where user_id = ${userId}`)
  await work.db.rows(sql`delete from link where user_id = ${userId}`)
  await work.db.rows(sql`delete from challenge where user_id = ${userId}`)
}
