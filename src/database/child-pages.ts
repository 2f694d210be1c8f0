import DataLoader from 'dataloader'
import { pageOf, pageSize, type Page, type PageArgs } from '../shared/page.ts'
import type { KeyRing } from '../shared/seal.ts'
import type { ListIdentity } from '../shared/cursor.ts'
import { readPage, type KeysetList } from './keyset.ts'
import type { ReadIn } from './loader.ts'
import { raw, sql, type Sql } from './sql.ts'

/** A list that hangs from each of many rows, such as the sessions of the members of a list. */
export interface ChildList<Row, Scope> extends Pick<KeysetList<Row>, 'id' | 'sort' | 'descending'> {
  /** The select list, with `id`, the sort key and what `parentOf` reads. */
  select: (scope: Scope) => Sql
  /** `from … where …`, narrowed to the rows of one parent. */
  from: (scope: Scope, parent: Sql) => Sql
  /** The order once more, over the names of the select list in `found`. */
  order: Sql
  parentOf: (row: Row) => string
}

/** One of the parents: all that are asked for together share an organisation and a scope. */
export interface Parent<Scope> {
  organisationId: string
  id: string
  scope: Scope
}

interface FirstPage<Scope> extends Parent<Scope> {
  first: number
}

export interface ChildLoaders<Row, Scope> {
  first: DataLoader<FirstPage<Scope>, Row[], string>
  count: DataLoader<Parent<Scope>, number, string>
}

/** Reads the first rows of many parents in one statement, one more each than was asked for, and their numbers likewise. */
export function childLoaders<Row, Scope>(
  read: ReadIn,
  { select, from, id, sort, descending, order, parentOf }: ChildList<Row, Scope>,
): ChildLoaders<Row, Scope> {
  const direction = raw(descending ? 'desc' : 'asc')
  const inOrder = sort
    ? sql`${sort.column} ${direction}, ${id} ${direction}`
    : sql`${id} ${direction}`
  const wanted = (parents: Parent<Scope>[]) =>
    sql`unnest(${parents.map(parent => parent.id)}::uuid[]) as wanted (id)`
  return {
    first: new DataLoader(
      async pages => {
        const groups = Map.groupBy(pages, page => `${page.organisationId} ${page.first}`).values()
        const rows = await Promise.all(
          [...groups].map(some => {
            const { organisationId, first, scope } = some[0]!
            return read(organisationId).rows<Row>(sql`
              select found.* from ${wanted(some)} cross join lateral (
                select ${select(scope)} ${from(scope, raw('wanted.id'))} order by ${inOrder} limit ${first + 1}) found
              order by ${order}`)
          }),
        )
        const byParent = Map.groupBy(rows.flat(), parentOf)
        return pages.map(page => byParent.get(page.id) ?? [])
      },
      { cacheKeyFn: ({ id: parent, first }) => `${parent} ${first}` },
    ),
    count: new DataLoader(
      async parents => {
        const groups = Map.groupBy(parents, parent => parent.organisationId).values()
        const rows = await Promise.all(
          [...groups].map(some => {
            const { organisationId, scope } = some[0]!
            return read(organisationId).rows<{ id: string; count: number }>(sql`
              select wanted.id, (select count(*) ${from(scope, raw('wanted.id'))})::int as count from ${wanted(some)}`)
          }),
        )
        const counts = new Map(rows.flat().map(row => [row.id, row.count]))
        return parents.map(parent => counts.get(parent.id) ?? 0)
      },
      { cacheKeyFn: parent => parent.id },
    ),
  }
}

export interface ChildPage<Row, Scope> {
  read: ReadIn
  ring: KeyRing
  /** What the list is: a cursor is good for this one alone. */
  identity: ListIdentity
  list: ChildList<Row, Scope>
  loaders: ChildLoaders<Row, Scope>
  parent: Parent<Scope>
  args: PageArgs
  /** Adds what a stored row implies. */
  shape?: (row: Row) => Row
}

/** One page of one parent's list. First pages of all parents of an operation are read together. */
export async function readChildren<Row extends { id: string }, Scope>({
  read,
  ring,
  identity,
  list,
  loaders,
  parent,
  args,
  shape,
}: ChildPage<Row, Scope>): Promise<Page<Row>> {
  const { id, sort, descending } = list
  if (args.after != null)
    return readPage<Row>({
      queries: read(parent.organisationId),
      ring,
      list: identity,
      args,
      select: list.select(parent.scope),
      from: list.from(parent.scope, sql`${parent.id}::uuid`),
      id,
      ...(sort && { sort }),
      ...(descending && { descending }),
      ...(shape && { shape }),
    })
  const rows = await loaders.first.load({ ...parent, first: pageSize(args) })
  return pageOf<Row>({
    ring,
    list: identity,
    args,
    rows: shape ? rows.map(shape) : rows,
    position: row => ({ key: sort?.key(row) ?? '', id: row.id }),
    count: () => loaders.count.load(parent),
  })
}
