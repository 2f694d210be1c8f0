import { can, isAbove, must, refusal, type TenantViewer } from '../../access/viewer.ts'
import type { AccessLevel, Permission } from '../../access/permissions.ts'
import type { Work } from '../../access/work.ts'
import { endServiceAccounts } from '../../credentials/service-accounts/service-account.service.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, join, sql } from '../../database/sql.ts'
import { actOnMembers } from '../../flows/members/acts.service.ts'
import { record } from '../../outbox/events/event.service.ts'
import { AppError, conflict, forbidden } from '../../shared/errors.ts'
import type { Outcome } from '../../shared/outcome.ts'
import { lockOrganisation } from '../../tenancy/organisations/administration.ts'
import { removePlaces } from '../../tenancy/projects/place-removal.service.ts'
import { shownItems } from './access-review.loaders.ts'
import { closeReview } from './access-review.service.ts'
import type { AccessReview } from './access-review.type.ts'

/** Most items that a refusal names. */
const MOST_NAMED = 100

/** An access that is to be removed, and what its holder holds now. */
interface Removal {
  id: string
  principalId: string
  kind: 'MEMBER' | 'SERVICE_ACCOUNT'
  name: string
  /** The place in a project; null for the organisation. */
  access: string | null
  /** The role that was reviewed. */
  roleId: string
  roleNow: string
  gone: boolean
  builtIn: boolean
  level: AccessLevel
  permissions: string[]
}

/** Why a decision cannot be carried out. */
interface Fault {
  item: string
  refusal: AppError
}

/**
 * Carries out the decisions of a review and closes it, each under the rules of the single mutation: `removeMember`,
 * `deleteServiceAccount`, `revokeProjectAccess`. All of them or none: where one cannot be carried out, the review stays
 * open, and the refusal names each item and why. What is gone by itself is done. What has no decision is left alone.
 */
export async function completeAccessReview(work: Work, id: string): Promise<AccessReview> {
  const viewer = must(work.viewer, 'reviewAccess')
  // before the review and the members, as everywhere
  await lockOrganisation(work, viewer.organisationId)
  const review = await closeReview(work, viewer, id, 'COMPLETED')
  const removals = await findRemovals(work, viewer, review.id)
  const counts = await countDecisions(work, review.id)
  if (counts.removed > removals.length)
    throw forbidden(
      'EXCEEDS_OWN_PERMISSIONS',
      'Some decisions are about people whom your role does not show. Somebody who sees everybody must complete this review.',
    )
  await carryOut(work, viewer, review, removals)
  await record(work, 'access_review.completed', {
    organisationId: viewer.organisationId,
    target: { kind: 'AccessReview', id: review.id, name: review.name },
    changes: Object.entries(counts).map(([field, count]) => ({
      field,
      before: null,
      after: String(count),
    })),
  })
  return review
}

/** What is to be removed, with its holders locked. */
function findRemovals(work: Work, viewer: TenantViewer, reviewId: string): Promise<Removal[]> {
  return work.db.rows<Removal>(sql`
    select i.id, i.principal_id as "principalId", i.kind, m.name, i.access, i.role_id as "roleId",
      m.role_id as "roleNow", m.removed_at is not null as gone, r.built_in as "builtIn", r.level, r.permissions
    from access_review_item i join principal m on m.id = i.principal_id join role r on r.id = m.role_id
    where ${join([sql`i.review_id = ${reviewId}`, sql`i.decision = 'REMOVE'`, ...shownItems(viewer)], ' and ')}
    order by m.id for update of m`)
}

/** Asked as *system*: what the viewer is not shown counts too. */
async function countDecisions(work: Work, reviewId: string) {
  const counts = await work.as(SYSTEM, () =>
    firstRow<{ removed: number; kept: number; undecided: number }>(
      work.db,
      sql`select count(*) filter (where decision = 'REMOVE')::int as removed,
          count(*) filter (where decision = 'KEEP')::int as kept,
          count(*) filter (where decision is null)::int as undecided
        from access_review_item where review_id = ${reviewId}`,
    ),
  )
  return counts ?? { removed: 0, kept: 0, undecided: 0 }
}

async function carryOut(
  work: Work,
  viewer: TenantViewer,
  { name }: AccessReview,
  removals: Removal[],
): Promise<void> {
  const reason = `Access review: ${name}`
  const faults: Fault[] = []
  const live = removals.filter(({ gone }) => !gone)
  const whole = live.filter(({ access }) => access === null)
  const leaving = new Set(whole.map(({ principalId }) => principalId))
  // whoever leaves the organisation leaves its projects too
  const places = live.filter(each => each.access !== null && !leaving.has(each.principalId))
  const reviewed = whole.filter(removal => {
    if (removal.roleNow === removal.roleId) return true
    faults.push({
      item: removal.id,
      refusal: conflict(
        'STATE_MISMATCH',
        `${removal.name} now holds another role than the one that was reviewed.`,
      ),
    })
    return false
  })
  const left = await removePlaces(
    work,
    viewer,
    places.map(({ access, roleId }) => ({ access: access!, roleId })),
    reason,
  )
  note(faults, places, left)
  const machines = reviewed.filter(({ kind }) => kind === 'SERVICE_ACCOUNT')
  const members = reviewed.filter(({ kind }) => kind === 'MEMBER')
  note(faults, machines, judge(viewer, 'manageServiceAccount', machines))
  note(faults, members, judge(viewer, 'manageUser', members))
  // what follows may be refused as a whole, which would hide the others
  if (faults.length) throw notCarriedOut(faults, removals.length)
  await endServiceAccounts(
    work,
    viewer,
    machines.map(machine => ({ id: machine.principalId, name: machine.name })),
    reason,
  )
  if (!members.length) return
  const ids = members.map(({ principalId }) => principalId)
  note(faults, members, await actOnMembers(work, 'REMOVE', ids, { reason }))
  if (faults.length) throw notCarriedOut(faults, removals.length)
}

/** Which of some principals the viewer may put out of the organisation. */
function judge(
  viewer: TenantViewer,
  permission: Permission,
  removals: Removal[],
): Outcome<Removal>[] {
  const may = can(viewer, permission)
  return removals.map(removal => {
    if (!may) return { refusal: refusal(viewer, permission) }
    if (isAbove(viewer, removal)) return { done: removal }
    const message = `${removal.name} holds permissions that you do not hold.`
    return { refusal: forbidden('EXCEEDS_OWN_PERMISSIONS', message) }
  })
}

function note(faults: Fault[], removals: Removal[], outcomes: Outcome<unknown>[]): void {
  for (const [index, outcome] of outcomes.entries())
    if ('refusal' in outcome) faults.push({ item: removals[index]!.id, ...outcome })
}

/** One refusal for all: each item, and why. */
function notCarriedOut(faults: Fault[], removals: number): AppError {
  const first = faults[0]!.refusal
  const alike = faults.every(
    ({ refusal: { code, details } }) =>
      code === first.code && details.reason === first.details.reason,
  )
  const reasonOf = ({ details }: AppError) => details.reason ?? 'STATE_MISMATCH'
  return new AppError(
    alike ? first.code : 'CONFLICT',
    `${faults.length} of ${removals} removals cannot be carried out, so none was. First: ${first.message} ` +
      'Decide anew about the items named, or have somebody complete the review who may.',
    {
      reason: alike ? reasonOf(first) : 'STATE_MISMATCH',
      fields: faults.slice(0, MOST_NAMED).map(({ item, refusal: each }) => ({
        path: ['items', item],
        reason: reasonOf(each),
        message: each.message,
      })),
    },
  )
}
