import { operatorOf, type Viewer } from '../../access/viewer.ts'
import { hasStatus } from '../../accounts/users/standing.ts'
import { USER_FIELDS } from '../../accounts/users/user.loaders.ts'
import type { User } from '../../accounts/users/user.type.ts'
import { columns, toDate } from '../../database/columns.ts'
import type { DatabaseContext } from '../../database/context.ts'
import { readPage } from '../../database/keyset.ts'
import { firstRow, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import type { WordTable } from '../../database/word-pages.ts'
import { searchFor } from '../../database/words.ts'
import { notFound } from '../../shared/errors.ts'
import { few } from '../../shared/filters.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import { ORGANISATION_FIELDS } from '../../tenancy/organisations/organisation.loaders.ts'
import type { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import type { UserFilter } from './platform.type.ts'

type Read = (context: DatabaseContext) => Queries

const wordsIn = (table: string, of: string, by: Sql[]): WordTable => ({
  table: raw(table),
  of: raw(of),
  within: sql`true`,
  id: raw('t.id'),
  sort: by.length ? null : 'id',
})

/** Organisations of the platform, the newest first. */
export async function listOrganisations(
  read: Read,
  ring: KeyRing,
  viewer: Viewer | null,
  args: PageArgs & { search?: string | null; suspended?: boolean | null },
): Promise<Page<Organisation>> {
  const queries = read(operatorOf(viewer))
  const by: Sql[] = []
  if (args.suspended != null)
    by.push(args.suspended ? sql`t.suspended_at is not null` : sql`t.suspended_at is null`)
  const search = await searchFor(
    queries,
    wordsIn('organisation_word', 'organisation_id', by),
    args.search,
  )
  const list = ['organisations', args.search ?? '', args.suspended ?? null]
  return readPage<Organisation>({
    queries,
    ring,
    list,
    args,
    select: columns('t', ORGANISATION_FIELDS),
    from: sql`from organisation t where t.deleted_at is null`,
    id: raw('t.id'),
    descending: true,
    narrowed:
      search || by.length
        ? { table: raw('organisation t'), by, search, few: args.suspended === true }
        : null,
  })
}

/** One organisation, whichever it is. */
export async function getOrganisation(
  read: Read,
  viewer: Viewer | null,
  id: string,
): Promise<Organisation> {
  const found = isId(id)
    ? await firstRow<Organisation>(
        read(operatorOf(viewer)),
        sql`select ${columns('t', ORGANISATION_FIELDS)} from organisation t where t.id = ${id} and t.deleted_at is null`,
      )
    : undefined
  if (!found) throw notFound('organisation')
  return found
}

/** Accounts of the platform, the newest first. */
export async function listUsers(
  read: Read,
  ring: KeyRing,
  viewer: Viewer | null,
  args: PageArgs & { search?: string | null; filter?: UserFilter | null },
  now: Date,
): Promise<Page<User>> {
  const queries = read(operatorOf(viewer))
  const by = conditions(args.filter, now)
  const search = await searchFor(queries, wordsIn('user_word', 'user_id', by), args.search)
  const list = ['users', args.search ?? '', args.filter ?? {}]
  return readPage<User>({
    queries,
    ring,
    list,
    args,
    select: sql`${columns('t', USER_FIELDS)}, btrim(t.first_name || ' ' || t.last_name) as name`,
    from: sql`from user_account t where t.deleted_at is null`,
    id: raw('t.id'),
    descending: true,
    narrowed:
      search || by.length
        ? {
            table: raw('user_account t'),
            by,
            search,
            few: Boolean(args.filter?.emails ?? args.filter?.operator ?? args.filter?.locked),
          }
        : null,
  })
}

function conditions(filter: UserFilter | null | undefined, now: Date): Sql[] {
  const some: Sql[] = []
  if (filter?.status) some.push(hasStatus(raw('t'), filter.status, now))
  if (filter?.locked != null)
    some.push(filter.locked ? sql`t.locked_at is not null` : sql`t.locked_at is null`)
  if (filter?.operator != null) some.push(filter.operator ? sql`t.operator` : sql`not t.operator`)
  if (filter?.mfaEnabled != null)
    some.push(filter.mfaEnabled ? sql`t.second_factor` : sql`not t.second_factor`)
  if (filter?.emails) some.push(sql`t.email = any(${few(filter.emails, 'emails')}::text[])`)
  if (filter?.createdAt?.from) some.push(sql`t.created_at >= ${toDate(filter.createdAt.from)}`)
  if (filter?.createdAt?.to) some.push(sql`t.created_at < ${toDate(filter.createdAt.to)}`)
  if (filter?.inactiveSince)
    some.push(
      sql`(t.last_sign_in_at is null or t.last_sign_in_at < ${toDate(filter.inactiveSince)})`,
    )
  return some
}
