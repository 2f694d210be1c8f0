import type { TenantViewer } from '../../access/viewer.ts'
import {
  childLoaders,
  readChildren,
  type ChildList,
  type ChildLoaders,
  type Parent,
} from '../../database/child-pages.ts'
import { columns } from '../../database/columns.ts'
import { readPage } from '../../database/keyset.ts'
import type { ReadIn } from '../../database/loader.ts'
import { firstRow, join, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { notFound } from '../../shared/errors.ts'
import { few } from '../../shared/filters.ts'
import type { Page, PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import { visible } from '../../tenancy/memberships/member.list.ts'
import type {
  AccessReview,
  AccessReviewItem,
  AccessReviewItemFilter,
} from './access-review.type.ts'

const FIELDS = [
  'id',
  'organisationId',
  'name',
  'status',
  'dueAt',
  'startedById',
  'completedAt',
  'createdAt',
] as const
const ITEM_FIELDS = [
  'id',
  'organisationId',
  'reviewId',
  'principalId',
  'kind',
  'roleId',
  'projectId',
  'flags',
  'decision',
  'decidedById',
  'decidedAt',
  'note',
] as const

const reviewColumns = columns('v', FIELDS)

/** Items of a review that one viewer is shown, narrowed by a filter. */
interface Narrowed {
  viewer: TenantViewer
  filter: AccessReviewItemFilter
}

/** Which items the viewer's role, and the projects a key is confined to, show. */
export function shownItems(viewer: TenantViewer): Sql[] {
  const seen = visible(viewer, raw('i.principal_id'))
  const shown = seen.length ? [sql`(i.kind = 'SERVICE_ACCOUNT' or ${join(seen, ' and ')})`] : []
  return viewer.confinedTo
    ? [
        ...shown,
        sql`(i.project_id is null or i.project_id = any(${[...viewer.confinedTo]}::uuid[]))`,
      ]
    : shown
}

/** The items of a review by the names of those they are about, of each the organisation first. */
const ITEMS: ChildList<AccessReviewItem, Narrowed> = {
  select: () => columns('i', ITEM_FIELDS),
  from: ({ viewer, filter }, review) =>
    sql`from access_review_item i where ${join(
      [sql`i.review_id = ${review}`, ...shownItems(viewer), ...conditions(filter)],
      ' and ',
    )}`,
  id: raw('i.id'),
  order: raw('found.id'),
  parentOf: row => row.reviewId,
}

function conditions({ flags, decided, projectIds }: AccessReviewItemFilter): Sql[] {
  const some: Sql[] = []
  if (flags) some.push(sql`i.flags && ${flags}::text[]`)
  if (decided != null) some.push(decided ? sql`i.decision is not null` : sql`i.decision is null`)
  if (projectIds) some.push(sql`i.project_id = any(${projectIds}::uuid[])`)
  return some
}

export const createAccessReviewLoaders = (read: ReadIn) => {
  const byFilter = new Map<string, ChildLoaders<AccessReviewItem, Narrowed>>()
  return {
    /** The items of many reviews, narrowed by the same filter. */
    reviewItems: (filter: AccessReviewItemFilter): ChildLoaders<AccessReviewItem, Narrowed> => {
      const key = JSON.stringify(filter)
      const known = byFilter.get(key) ?? childLoaders(read, ITEMS)
      byFilter.set(key, known)
      return known
    },
  }
}

type Loaders = ReturnType<typeof createAccessReviewLoaders>

const parentOf = (
  { id, organisationId }: AccessReview,
  viewer: TenantViewer,
  filter: AccessReviewItemFilter,
): Parent<Narrowed> => ({ organisationId, id, scope: { viewer, filter } })

/** Items of one review; the first pages of several are read together. */
export function listItems(
  read: ReadIn,
  { reviewItems }: Loaders,
  ring: KeyRing,
  viewer: TenantViewer,
  review: AccessReview,
  args: PageArgs & { filter?: AccessReviewItemFilter | null },
): Promise<Page<AccessReviewItem>> {
  const filter = args.filter ?? {}
  few(filter.projectIds ?? [], 'projectIds')
  return readChildren({
    read,
    ring,
    identity: ['accessReviewItems', review.id, filter],
    list: ITEMS,
    loaders: reviewItems(filter),
    parent: parentOf(review, viewer, filter),
    args,
  })
}

const UNDECIDED: AccessReviewItemFilter = { decided: false }

/** How many items that the viewer is shown wait for a decision. */
export const countUndecided = (
  { reviewItems }: Loaders,
  viewer: TenantViewer,
  review: AccessReview,
): Promise<number> => reviewItems(UNDECIDED).count.load(parentOf(review, viewer, UNDECIDED))

export const findReview = (
  queries: Queries,
  { organisationId }: TenantViewer,
  id: string,
): Promise<AccessReview | undefined> =>
  firstRow(
    queries,
    sql`select ${reviewColumns} from access_review v where v.id = ${id} and v.organisation_id = ${organisationId}`,
  )

export async function getReview(
  queries: Queries,
  viewer: TenantViewer,
  id: string,
): Promise<AccessReview> {
  const review = isId(id) ? await findReview(queries, viewer, id) : undefined
  if (!review) throw notFound('access review')
  return review
}

export const findItem = (
  queries: Queries,
  viewer: TenantViewer,
  id: string,
): Promise<AccessReviewItem | undefined> =>
  firstRow(
    queries,
    sql`select ${columns('i', ITEM_FIELDS)} from access_review_item i where ${join(
      [sql`i.id = ${id}`, sql`i.organisation_id = ${viewer.organisationId}`, ...shownItems(viewer)],
      ' and ',
    )}`,
  )

/** Reviews of an organisation, the newest first. */
export const listReviews = (
  queries: Queries,
  ring: KeyRing,
  { organisationId }: TenantViewer,
  args: PageArgs,
): Promise<Page<AccessReview>> =>
  readPage<AccessReview>({
    queries,
    ring,
    list: ['accessReviews', organisationId],
    args,
    select: reviewColumns,
    from: sql`from access_review v where v.organisation_id = ${organisationId}`,
    id: raw('v.id'),
    descending: true,
  })
