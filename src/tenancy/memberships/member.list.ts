import { tenantOf, type TenantViewer } from '../../access/viewer.ts'
import { toDate, type Instant } from '../../database/columns.ts'
import { readPage, type KeysetList } from '../../database/keyset.ts'
import { join, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { badInput, notFound } from '../../shared/errors.ts'
import { afterPrefix, searchWords } from '../../shared/normalise.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
import { writeInstant } from '../../shared/scalars.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import { memberColumns } from './member.loaders.ts'
import type { Member, MemberFilter, MemberOrder } from './member.type.ts'

const MOST_VALUES = 500
const MOST_WORDS = 8

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
  const matching = join(
    [sql`m.organisation_id = ${viewer.organisationId}`, ...conditions(viewer, args, now)],
    ' and ',
  )
  return readPage<Member>({
    queries: read(tenantOf(viewer)),
    ring,
    list: ['members', viewer.organisationId, args.search ?? '', args.filter ?? {}, args.orderBy],
    args,
    select: memberColumns('m'),
    from: sql`from principal m where ${matching}`,
    id: raw('m.id'),
    sort: ORDERS[args.orderBy.field],
    descending: args.orderBy.direction === 'DESC',
  })
}

function conditions(viewer: TenantViewer, { search, filter }: MemberListArgs, now: Date): Sql[] {
  const some: Sql[] = [sql`m.kind = 'MEMBER'`, sql`m.removed_at is null`, ...visible(viewer)]
  const words = search ? searchWords(search).slice(0, MOST_WORDS) : []
  if (search && !words.length) some.push(sql`false`)
  for (const word of words)
    some.push(sql`m.id in (select w.principal_id from member_word w where w.organisation_id = ${viewer.organisationId}
      and w.word >= ${word} and w.word < ${afterPrefix(word)})`)
  if (!filter) return some

  if (filter.status)
    some.push(sql`${effectiveStatus(now)} = any(${few(filter.status, 'status')}::text[])`)
  if (filter.roleIds) some.push(sql`m.role_id = any(${ids(filter.roleIds, 'roleIds')}::uuid[])`)
  if (filter.projectIds)
    some.push(sql`exists (select from project_access a where a.principal_id = m.id
      and a.project_id = any(${ids(filter.projectIds, 'projectIds')}::uuid[]))`)
  if (filter.emails) some.push(sql`m.email = any(${few(filter.emails, 'emails')}::text[])`)
  if (filter.externalIds)
    some.push(sql`m.external_id = any(${few(filter.externalIds, 'externalIds')}::text[])`)
  if (filter.locked != null)
    some.push(filter.locked ? sql`m.locked_at is not null` : sql`m.locked_at is null`)
  if (filter.meetsMfaPolicy != null) {
    // asked once for the list, not for each row
    const insists = sql`(select t.mfa_enabled and (t.mfa_required or o.mfa_required)
      from organisation o cross join platform_settings t where o.id = ${viewer.organisationId})`
    some.push(sql`(m.second_factor or not ${insists}) = ${filter.meetsMfaPolicy}`)
  }
  if (filter.createdAt?.from) some.push(sql`m.created_at >= ${toDate(filter.createdAt.from)}`)
  if (filter.createdAt?.to) some.push(sql`m.created_at < ${toDate(filter.createdAt.to)}`)
  if (filter.inactiveSince) some.push(sql`m.last_active_at < ${toDate(filter.inactiveSince)}`)
  return some
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

/** A suspension lifts by itself at its moment. */
const effectiveStatus = (now: Date): Sql =>
  sql`case when m.status = 'SUSPENDED' and m.suspended_until <= ${now} then 'ACTIVE' else m.status end`

function few<Value>(values: Value[], field: string): Value[] {
  if (values.length > MOST_VALUES)
    throw badInput(
      ['filter', field],
      'OUT_OF_RANGE',
      `A filter takes at most ${MOST_VALUES} values.`,
    )
  return values
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
