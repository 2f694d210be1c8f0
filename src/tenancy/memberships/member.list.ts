import { tenantOf, type TenantViewer } from '../../access/viewer.ts'
import { hasStatus } from '../../accounts/users/standing.ts'
import { toDate, type Instant } from '../../database/columns.ts'
import { readPage, type KeysetList, type Narrowing } from '../../database/keyset.ts'
import { firstRow, join, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { unseen } from '../../database/word-pages.ts'
import { searchFor } from '../../database/words.ts'
import { notFound } from '../../shared/errors.ts'
import { few } from '../../shared/filters.ts'
import { singleLine } from '../../shared/normalise.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
import { writeInstant } from '../../shared/scalars.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import { memberColumns } from './member.loaders.ts'
import type { Member, MemberFilter, MemberOrder } from './member.type.ts'

/** Each order has an index that begins with the organisation and ends with the id. */
const ORDERS: Record<MemberOrder['field'], KeysetList<Member>['sort']> = {
  NAME: { column: raw('m.sort_name'), type: 'text', key: row => row.sortName },
  EMAIL: { column: raw('m.email'), type: 'text', key: row => row.email },
  CREATED_AT: {
    column: raw('m.created_at'),
    type: 'timestamptz',
    key: row => instantKey(row.createdAt),
  },
  LAST_ACTIVE_AT: {
    column: raw('m.last_active_at'),
    type: 'timestamptz',
    key: row => (row.lastActiveAt ? instantKey(row.lastActiveAt) : '-infinity'),
  },
}

// the database's own text keeps the microseconds that a Date would lose
function instantKey(instant: Instant): string {
  return typeof instant === 'string' ? instant : writeInstant(instant)
}

export interface MemberListArgs extends PageArgs {
  search?: string | null
  filter?: MemberFilter | null
  orderBy: MemberOrder
}

/** One page of the members of the viewer's organisation, by keyset, however large the organisation. */
export async function listMembers(
  read: (context: ReturnType<typeof tenantOf>) => Queries,
  ring: KeyRing,
  viewer: TenantViewer,
  args: MemberListArgs,
  now: Date,
): Promise<Page<Member>> {
  const queries = read(tenantOf(viewer))
  const { lead, narrowed } = await narrow(queries, viewer, args, now)
  const seen = visible(viewer)
  const members = [
    sql`m.organisation_id = ${viewer.organisationId}`,
    sql`m.kind = 'MEMBER'`,
    sql`m.removed_at is null`,
    ...seen,
    ...lead,
  ]
  return readPage<Member>({
    queries,
    ring,
    list: ['members', viewer.organisationId, args.search ?? '', args.filter ?? {}, args.orderBy],
    args,
    select: memberColumns('m'),
    from: sql`from principal m where ${join(members, ' and ')}`,
    id: raw('m.id'),
    sort: ORDERS[args.orderBy.field],
    descending: args.orderBy.direction === 'DESC',
    indexed: args.orderBy.field === 'NAME' && !seen.length && !lead.length,
    narrowed,
  })
}

interface Narrowed {
  /** What an index in the order of the list begins with. */
  lead: Sql[]
  narrowed: Narrowing | null
}

async function narrow(
  queries: Queries,
  viewer: TenantViewer,
  { search, filter, orderBy }: MemberListArgs,
  now: Date,
): Promise<Narrowed> {
  const inOrderOfNames = orderBy.field === 'NAME'
  const indexed = [
    ...indexedConditions(filter ?? {}, now),
    ...(await meetsMfaPolicy(queries, viewer, filter?.meetsMfaPolicy)),
  ]
  const lead = inOrderOfNames && !search ? indexed.slice(0, 1) : []
  const by = [...indexed.slice(lead.length), ...conditions(filter ?? {}, viewer)]
  if (!search && !by.length) return { lead, narrowed: null }
  const words = {
    table: raw('member_word'),
    of: raw('principal_id'),
    within: join(
      [
        sql`w.organisation_id = ${unseen(sql`${viewer.organisationId}::uuid`)}`,
        ...visible(viewer, raw('w.principal_id')),
      ],
      ' and ',
    ),
    all: raw('words'),
    sort: inOrderOfNames && !by.length ? raw('sort_name') : null,
    id: raw('m.id'),
  }
  const narrowed = {
    table: raw('principal m'),
    by,
    search: await searchFor(queries, words, search),
    few: Boolean(filter?.emails ?? filter?.externalIds ?? filter?.locked),
  }
  return { lead, narrowed }
}

/** What has an index in the order of names, the rarest first. */
function indexedConditions(filter: MemberFilter, now: Date): Sql[] {
  const some: Sql[] = []
  if (filter.locked) some.push(sql`m.locked_at is not null`)
  if (filter.status) some.push(hasStatus(raw('m'), few(filter.status, 'status'), now))
  if (filter.roleIds) {
    const roles = ids(filter.roleIds, 'roleIds')
    some.push(
      roles.length === 1 ? sql`m.role_id = ${roles[0]}` : sql`m.role_id = any(${roles}::uuid[])`,
    )
  }
  return some
}

function conditions(filter: MemberFilter, { confinedTo }: TenantViewer): Sql[] {
  const some: Sql[] = []
  if (filter.projectIds) {
    const projects = ids(filter.projectIds, 'projectIds')
    const shown = confinedTo ? projects.filter(id => confinedTo.has(id)) : projects
    some.push(sql`m.id in (select a.principal_id from project_access a
      where a.project_id = any(${shown}::uuid[]))`)
  }
  if (filter.emails) some.push(sql`m.email = any(${few(filter.emails, 'emails')}::text[])`)
  if (filter.externalIds) {
    const externalIds = few(filter.externalIds, 'externalIds').flatMap(id => singleLine(id) ?? [])
    some.push(sql`m.external_id = any(${externalIds}::text[])`)
  }
  if (filter.locked === false) some.push(sql`m.locked_at is null`)
  if (filter.createdAt?.from) some.push(sql`m.created_at >= ${toDate(filter.createdAt.from)}`)
  if (filter.createdAt?.to) some.push(sql`m.created_at < ${toDate(filter.createdAt.to)}`)
  if (filter.inactiveSince) some.push(sql`m.last_active_at < ${toDate(filter.inactiveSince)}`)
  return some
}

/** Whether a second factor is asked for here is read beforehand: with it in the condition, no index would do. */
async function meetsMfaPolicy(
  queries: Queries,
  { organisationId }: TenantViewer,
  meets: boolean | null | undefined,
): Promise<Sql[]> {
  if (meets == null) return []
  const policy = await firstRow<{ insists: boolean }>(
    queries,
    sql`select t.mfa_enabled and (t.mfa_required or o.mfa_required) as insists
      from organisation o cross join platform_settings t where o.id = ${organisationId}`,
  )
  if (policy?.insists) return [meets ? sql`m.second_factor` : sql`not m.second_factor`]
  return meets ? [] : [sql`false`]
}

/**
 * Which rows the viewer's role shows; others are as good as absent. Written so that few are found by the index of the
 * column that names the member, however many there are.
 */
export function visible(viewer: TenantViewer, column: Sql = raw('m.id')): Sql[] {
  switch (viewer.visibility) {
    case 'ORGANISATION':
      return []
    case 'SELF':
      return [sql`${column} = ${viewer.principalId}`]
    case 'SHARED_PROJECTS':
      return [
        sql`${column} = any(array(select other.principal_id from project_access mine
          join project_access other on other.project_id = mine.project_id where mine.principal_id = ${viewer.principalId}
          union select ${viewer.principalId}::uuid))`,
      ]
  }
}

/** Ids that are none match nothing. */
const ids = (values: string[], field: string) => few(values, field).filter(isId)

/** A member that the viewer's role shows; removed ones too, for what refers to them still names them. */
export async function readVisibleMember(
  queries: Queries,
  viewer: TenantViewer,
  id: string,
): Promise<Member> {
  const [member] = isId(id)
    ? await queries.rows<Member>(sql`
        select ${memberColumns('m')} from principal m
        where ${join([sql`m.id = ${id}`, sql`m.organisation_id = ${viewer.organisationId}`, sql`m.kind = 'MEMBER'`, ...visible(viewer)], ' and ')}`)
    : []
  if (!member) throw notFound('member')
  return member
}
