import type { Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { notify, type NoticeText } from '../../accounts/notifications/notification.service.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import type { TopicName } from '../../outbox/events/topics.ts'

interface Reader {
  id: string
  name: string
}

/** Whom to tell; as *system*. */
const readReader = (work: Work, userId: string): Promise<Reader | undefined> =>
  firstRow<Reader>(
    work.db,
    sql`select id, btrim(first_name || ' ' || last_name) as name from user_account where id = ${userId} and deleted_at is null`,
  )

const send = (work: Work, { id: userId }: Reader, topic: TopicName, text: NoticeText) =>
  notify(work, { userId, topic, organisationId: null, text })

export interface FactorChange {
  topic: 'mfa.enabled' | 'mfa.factor_added' | 'mfa.factor_removed' | 'mfa.disabled'
  factor: { id: string; name: string }
}

/** Records and mails that a person changed their own factors. It is the account's affair, and no organisation's. */
export async function tellOfFactor(
  work: Work,
  viewer: Person,
  { topic, factor }: FactorChange,
): Promise<void> {
  await record(work, topic, {
    organisationId: null,
    target: { kind: 'MfaFactor', id: factor.id, name: factor.name },
  })
  const reader = await readReader(work, viewer.userId)
  if (!reader) return
  const added = topic === 'mfa.enabled' || topic === 'mfa.factor_added'
  const data = { factor: factor.name, at: work.now.toISOString() }
  const text = added
    ? ({ template: 'mfaAdded', data: { ...data, first: topic === 'mfa.enabled' } } as const)
    : ({ template: 'mfaRemoved', data: { ...data, last: topic === 'mfa.disabled' } } as const)
  await send(work, reader, topic, text)
}

/** Records and mails that a recovery code was used. */
export async function tellOfRecoveryCode(work: Work, userId: string, left: number): Promise<void> {
  const reader = await readReader(work, userId)
  if (!reader) return
  await record(work, 'mfa.recovery_code_used', {
    organisationId: null,
    target: { kind: 'User', id: userId, name: reader.name },
    changes: [{ field: 'recoveryCodes', before: String(left + 1), after: String(left) }],
    actor: { userId, principalId: null, name: reader.name },
  })
  const data = { left, at: work.now.toISOString() }
  await send(work, reader, 'mfa.recovery_code_used', { template: 'recoveryCodeUsed', data })
}

/** Records and mails that the day's guesses at a second factor are used up: whoever makes them knows the password. */
export async function tellOfGuesses(work: Work, userId: string): Promise<void> {
  const reader = await readReader(work, userId)
  if (!reader) return
  await record(work, 'mfa.guesses_exceeded', {
    organisationId: null,
    target: { kind: 'User', id: userId, name: reader.name },
    outcome: 'DENIED',
  })
  const data = { at: work.now.toISOString() }
  await send(work, reader, 'mfa.guesses_exceeded', { template: 'mfaGuesses', data })
}

/** Tells that an operator has taken the second factors away. */
export async function tellOfReset(work: Work, userId: string): Promise<void> {
  const data = { at: work.now.toISOString() }
  await notify(work, {
    userId,
    topic: 'mfa.reset',
    organisationId: null,
    text: { template: 'mfaReset', data },
  })
}
