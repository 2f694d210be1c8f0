import { must, mustReach, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { SYSTEM } from '../../database/context.ts'
import { join, sql } from '../../database/sql.ts'
import { record, recordAll } from '../../outbox/events/event.service.ts'
import {
  AppError,
  badInput,
  badInputs,
  conflict,
  notFound,
  type FieldFault,
} from '../../shared/errors.ts'
import { isPlainText } from '../../shared/normalise.ts'
import { getReview, shownItems } from './access-review.loaders.ts'
import type { AccessReview, AccessReviewDecisionInput } from './access-review.type.ts'

const MOST_DECISIONS = 500
const LONGEST_NOTE = 500

/** An item as it is decided about. */
interface OpenItem {
  id: string
  reviewId: string
  principalId: string
  kind: string
  name: string
  decision: string | null
}

/**
 * Records decisions on items of one open review: all of them, or none where one is at fault. Nobody decides about
 * their own access.
 */
export async function decideItems(
  work: Work,
  decisions: AccessReviewDecisionInput[],
): Promise<AccessReview> {
  const viewer = must(work.viewer, 'reviewAccess')
  const notes = readNotes(decisions)
  const items = await findItems(work, viewer, decisions)
  const review = await holdOpen(work, viewer, items[0]!.reviewId)
  const rows = decisions.map(({ itemId, decision }, index) => ({
    id: itemId,
    decision,
    note: notes[index],
  }))
  await work.db.rows(sql`
    update access_review_item i set decision = n.decision, note = n.note, decided_by_id = ${viewer.principalId},
      decided_at = ${work.now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n (id uuid, decision text, note text) where i.id = n.id`)
  await recordAll(
    work,
    decisions.map(({ decision }, index) => {
      const { principalId, kind, name, decision: before } = items[index]!
      return {
        topic: 'access_review.decided',
        organisationId: viewer.organisationId,
        target: { kind: kind === 'MEMBER' ? 'Member' : 'ServiceAccount', id: principalId, name },
        changes: [{ field: 'decision', before, after: decision }],
        reason: notes[index] ?? null,
      }
    }),
  )
  return review
}

function readNotes(decisions: AccessReviewDecisionInput[]): (string | null)[] {
  const path = ['decisions']
  if (!decisions.length) throw badInput(path, 'REQUIRED', 'Decide about at least one item.')
  if (decisions.length > MOST_DECISIONS)
    throw badInput(path, 'OUT_OF_RANGE', `Decide about at most ${MOST_DECISIONS} items at once.`)
  const faults: (FieldFault & { message: string })[] = []
  const seen = new Set<string>()
  const notes = decisions.map(({ itemId, note }, index) => {
    const at = (field: string) => ['decisions', index, field]
    if (seen.has(itemId))
      faults.push({
        path: at('itemId'),
        reason: 'ALREADY_EXISTS',
        message: 'An earlier decision is about the same item.',
      })
    seen.add(itemId)
    const text = note?.trim() ?? ''
    if (text.length > LONGEST_NOTE)
      faults.push({
        path: at('note'),
        reason: 'OUT_OF_RANGE',
        message: `A note has at most ${LONGEST_NOTE} characters.`,
      })
    if (!isPlainText(text))
      faults.push({
        path: at('note'),
        reason: 'INVALID_FORMAT',
        message: 'A note is text without control characters.',
      })
    return text || null
  })
  if (faults.length) throw badInputs(faults)
  return notes
}

/** The items in the order of the decisions, locked until the transaction ends. */
async function findItems(
  work: Work,
  viewer: TenantViewer,
  decisions: AccessReviewDecisionInput[],
): Promise<OpenItem[]> {
  const rows = await work.db.rows<OpenItem>(sql`
    select i.id, i.review_id as "reviewId", i.principal_id as "principalId", i.kind, m.name, i.decision
    from access_review_item i join principal m on m.id = i.principal_id
    where ${join([sql`i.id = any(${decisions.map(each => each.itemId)}::uuid[])`, sql`i.organisation_id = ${viewer.organisationId}`, ...shownItems(viewer)], ' and ')}
    order by i.id for update of i`)
  const found = new Map(rows.map(row => [row.id, row]))
  const missing = decisions.findIndex(({ itemId }) => !found.has(itemId))
  if (missing >= 0) throw notFound('item of an access review', ['decisions', missing, 'itemId'])
  const items = decisions.map(({ itemId }) => found.get(itemId)!)
  refuseWhere(items, item => item.reviewId !== items[0]!.reviewId, {
    code: 'BAD_USER_INPUT',
    reason: 'INVALID_FORMAT',
    message: 'Decide about items of one review at a time.',
  })
  refuseWhere(items, item => item.principalId === viewer.principalId, {
    code: 'FORBIDDEN',
    reason: 'POLICY_FORBIDS',
    message: 'Nobody decides about their own access. Leave it to another reviewer.',
  })
  return items
}

function refuseWhere(
  items: OpenItem[],
  isAtFault: (item: OpenItem) => boolean,
  { code, reason, message }: Pick<AppError, 'code' | 'message'> & Pick<FieldFault, 'reason'>,
): void {
  const fields = items.flatMap((item, index) =>
    isAtFault(item) ? [{ path: ['decisions', index, 'itemId'], reason, message }] : [],
  )
  if (fields.length) throw new AppError(code, message, { reason, fields })
}

/** A review that stays open until the transaction ends. */
async function holdOpen(work: Work, viewer: TenantViewer, id: string): Promise<AccessReview> {
  const held = await work.db.rows(
    sql`select id from access_review where id = ${id} and status = 'OPEN' for share`,
  )
  if (!held.length) throw notOpen()
  return getReview(work.db, viewer, id)
}

const notOpen = () =>
  conflict('STATE_MISMATCH', 'This review is closed. Start another to decide anew.')

/**
 * Closes an open review: of two at once, the first.
 *
 * @throws {AppError} `NOT_FOUND`, `CONFLICT` / `STATE_MISMATCH` where it is closed already, or `FORBIDDEN` /
 *   `SCOPE_MISSING` for a key that is confined to other projects than it asks about.
 */
export async function closeReview(
  work: Work,
  viewer: TenantViewer,
  id: string,
  status: 'COMPLETED' | 'CANCELLED',
): Promise<AccessReview> {
  const completed = status === 'COMPLETED' ? work.now : null
  const closed = await work.db.rows(sql`
    update access_review set status = ${status}, completed_at = ${completed}
    where id = ${id} and organisation_id = ${viewer.organisationId} and status = 'OPEN' returning id`)
  const review = await getReview(work.db, viewer, id)
  if (!closed.length) throw notOpen()
  for (const projectId of viewer.confinedTo ? await projectsOf(work, review.id) : [])
    mustReach(viewer, projectId)
  return review
}

/** What a review asks about, by its items: projects, and null for the organisation. */
async function projectsOf(work: Work, reviewId: string): Promise<(string | null)[]> {
  // of whatever the viewer is not shown, too
  const rows = await work.as(SYSTEM, () =>
    work.db.rows<{ projectId: string | null }>(
      sql`select distinct project_id as "projectId" from access_review_item where review_id = ${reviewId}`,
    ),
  )
  return rows.map(({ projectId }) => projectId)
}

/** Closes a review; its decisions stay on record, and come to nothing. */
export async function cancelAccessReview(work: Work, id: string): Promise<AccessReview> {
  const viewer = must(work.viewer, 'reviewAccess')
  const review = await closeReview(work, viewer, id, 'CANCELLED')
  await record(work, 'access_review.cancelled', {
    organisationId: viewer.organisationId,
    target: { kind: 'AccessReview', id: review.id, name: review.name },
  })
  return review
}
