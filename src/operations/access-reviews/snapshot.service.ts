import { ADMINISTRATIVE } from '../../access/permissions.ts'
import { must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, join, sql, type Sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput, conflict, forbidden, notFound } from '../../shared/errors.ts'
import { newId } from '../../shared/tokens.ts'
import { visible } from '../../tenancy/memberships/member.list.ts'
import { lockOrganisation } from '../../tenancy/organisations/administration.ts'
import { readTitle } from '../../shared/titles.ts'
import { getReview } from './access-review.loaders.ts'
import type { AccessReview, StartAccessReviewInput } from './access-review.type.ts'

const MOST_OPEN = 20
const MOST_PROJECTS = 500
/** Most rows of one review: as many as are written in a few seconds, for whoever asks waits for them. */
const MOST_ITEMS = 50_000
/** How long no request, of a principal or with a key, counts as reason to look closer. */
const DORMANT_MS = 90 * 86_400_000

/**
 * Opens a review: writes down who holds what at this moment, with reasons to look closer. One statement does it, so
 * that all of it is of one moment. Whoever has yet to accept an invitation holds nothing, and is left out.
 *
 * @throws {AppError} `CONFLICT` / `STATE_MISMATCH` for more rows than one review takes, or too many open reviews.
 */
export async function startAccessReview(
  work: Work,
  input: StartAccessReviewInput,
): Promise<AccessReview> {
  const viewer = must(work.viewer, 'reviewAccess')
  const { organisationId } = viewer
  const name = readTitle(input.name, ['input', 'name'])
  if (input.dueAt <= work.now)
    throw badInput(['input', 'dueAt'], 'OUT_OF_RANGE', 'A review is due in the future.')
  const projectIds = readProjects(viewer, input.projectIds)
  await makeRoom(work, organisationId)
  if (projectIds) await mustExist(work, viewer, projectIds)

  const id = newId()
  await work.db.rows(sql`
    insert into access_review (id, created_at, organisation_id, name, status, due_at, started_by_id)
    values (${id}, ${work.now}, ${organisationId}, ${name}, 'OPEN', ${input.dueAt}, ${viewer.principalId})`)
  const items = await writeItems(work, viewer, id, projectIds)
  if (items > MOST_ITEMS)
    throw conflict(
      'STATE_MISMATCH',
      `A review takes at most ${MOST_ITEMS} rows. Start several, each confined to some projects.`,
    )
  await record(work, 'access_review.started', {
    organisationId,
    target: { kind: 'AccessReview', id, name },
    changes: [{ field: 'items', before: null, after: String(items) }],
  })
  return getReview(work.db, viewer, id)
}

function readProjects(viewer: TenantViewer, given: string[] | null | undefined): string[] | null {
  const path = ['input', 'projectIds']
  if (given == null) {
    if (viewer.confinedTo)
      throw forbidden('SCOPE_MISSING', 'This key is confined to some projects: name them.')
    return null
  }
  if (!given.length)
    throw badInput(path, 'REQUIRED', 'Name at least one project, or leave them out for everything.')
  if (given.length > MOST_PROJECTS)
    throw badInput(path, 'OUT_OF_RANGE', `Name at most ${MOST_PROJECTS} projects at once.`)
  return [...new Set(given)]
}

async function mustExist(work: Work, viewer: TenantViewer, projectIds: string[]): Promise<void> {
  const found = await work.db.rows(sql`
    select id from project where id = any(${projectIds}::uuid[]) and organisation_id = ${viewer.organisationId}
      and deleted_at is null ${viewer.confinedTo ? sql`and id = any(${[...viewer.confinedTo]}::uuid[])` : sql``}
    order by id for share`)
  if (found.length < projectIds.length) throw notFound('project', ['input', 'projectIds'])
}

/** Counts under a lock, so that of two at once the later one sees the earlier. */
async function makeRoom(work: Work, organisationId: string): Promise<void> {
  await lockOrganisation(work, organisationId)
  const open = await firstRow<{ count: number }>(
    work.db,
    sql`select count(*)::int as count from access_review where organisation_id = ${organisationId} and status = 'OPEN'`,
  )
  if ((open?.count ?? 0) >= MOST_OPEN)
    throw conflict(
      'STATE_MISMATCH',
      `At most ${MOST_OPEN} reviews are open at once. Complete or cancel one first.`,
    )
}

/** @returns how many there are, and one more than `MOST_ITEMS` at most. */
async function writeItems(
  work: Work,
  viewer: TenantViewer,
  reviewId: string,
  projectIds: string[] | null,
): Promise<number> {
  const { organisationId } = viewer
  const dormant = new Date(work.now.getTime() - DORMANT_MS)
  const onOrganisation = sql`
    select m.id as principal_id, m.role_id, 'ORGANISATION' as role_level, null::uuid as project_id, null::uuid as access
    from reviewed m`
  const inProjects = sql`
    select a.principal_id, a.role_id, 'PROJECT' as role_level, a.project_id, a.id as access
    from project_access a join reviewed m on m.id = a.principal_id
    join project p on p.id = a.project_id and p.deleted_at is null
    where a.organisation_id = ${organisationId}
      ${projectIds ? sql`and a.project_id = any(${projectIds}::uuid[])` : sql``}`
  const held = projectIds ? inProjects : sql`${onOrganisation} union all ${inProjects}`
  // ids of one moment, counted up in the order of names: what is read by id alone is then sorted by name
  const [high, middle] = newId().split('-')
  const numbered = sql`lpad(to_hex(row_number() over
    (order by m.sort_name, m.id, h.project_id nulls first)), 6, '0')`
  const written = await firstRow<{ count: number }>(
    work.db,
    sql`with stale as materialized (${staleOwners(work, organisationId, dormant)}),
      reviewed as materialized (
        select m.id, m.kind, m.role_id, m.sort_name,
          greatest(m.last_active_at, m.created_at) < ${dormant} as dormant,
          m.kind = 'MEMBER' and not m.second_factor and insists.on_factor as mfa_missing,
          m.id in (select owner_id from stale) as stale_key,
          m.kind = 'MEMBER' and cardinality(insists.domains) > 0
            and split_part(m.email, '@', -1) <> all(insists.domains) as external
        from principal m cross join (
          select t.mfa_enabled and (t.mfa_required or o.mfa_required) as on_factor, o.allowed_email_domains as domains
          from organisation o cross join platform_settings t where o.id = ${organisationId}) as insists
        where ${join([sql`m.organisation_id = ${organisationId}`, sql`m.removed_at is null`, sql`m.status <> 'INVITED'`, ...shown(viewer)], ' and ')}),
      held as (${held} limit ${MOST_ITEMS + 1}),
      written as (
        insert into access_review_item (id, created_at, organisation_id, review_id, principal_id, kind, role_id,
          role_level, project_id, access, flags)
        select (${`${high}-${middle}-7`} || substr(n.number, 1, 3) || '-8' || substr(n.number, 4, 3) || '-'
            || left(replace(gen_random_uuid()::text, '-', ''), 12))::uuid,
          ${work.now}::timestamptz, ${organisationId}::uuid, ${reviewId}::uuid, n.principal_id, n.kind, n.role_id,
          n.role_level, n.project_id, n.access, n.flags
        from (
          select h.*, m.kind, ${numbered} as number, array_remove(array[
            case when m.dormant then 'DORMANT' end,
            case when m.mfa_missing then 'MFA_MISSING' end,
            case when r.built_in or r.permissions && ${ADMINISTRATIVE}::text[] then 'PRIVILEGED' end,
            case when m.stale_key then 'STALE_KEY' end,
            case when m.external then 'EXTERNAL' end], null) as flags
          from held h join reviewed m on m.id = h.principal_id join role r on r.id = h.role_id) as n
        returning 1)
      select count(*)::int as count from written`,
  )
  return written?.count ?? 0
}

/** Whom the viewer's role shows; service accounts are shown to every role. */
function shown(viewer: TenantViewer): Sql[] {
  const few = visible(viewer)
  return few.length ? [sql`(m.kind = 'SERVICE_ACCOUNT' or ${join(few, ' and ')})`] : []
}

/** Owners of secrets that work for ever, or that nobody has used for long. */
const staleOwners = ({ now }: Work, organisationId: string, dormant: Date): Sql => sql`
  select distinct k.owner_id from api_key k
  where k.organisation_id = ${organisationId} and k.revoked_at is null and k.issued_at is not null
    and (k.expires_at is null or (k.expires_at > ${now} and greatest(k.last_used_at, k.issued_at) < ${dormant}))`
