import { ArgsType, Field, Int, ObjectType } from 'type-graphql'
import { writeCursor, type ListIdentity, type Position } from './cursor.ts'
import { badInput } from './errors.ts'
import type { KeyRing } from './seal.ts'

const LARGEST_PAGE = 100

/** Where a page sits in its list. */
@ObjectType({ description: 'Where a page sits in its list.', simpleResolvers: true })
class PageInfo {
  @Field(() => Boolean)
  hasNextPage!: boolean

  @Field(() => Boolean, { description: 'True when the page was asked for with `after`.' })
  hasPreviousPage!: boolean

  @Field(() => String, { nullable: true })
  startCursor!: string | null

  @Field(() => String, { nullable: true, description: 'Pass this as `after` to read on.' })
  endCursor!: string | null
}

/** How much of a list is asked for. */
@ArgsType()
export class PageArgs {
  @Field(() => Int, { defaultValue: 25 })
  first!: number

  @Field(() => String, { nullable: true })
  after?: string | null
}

/** A page of rows, in the shape of every connection. */
export interface Page<Row> {
  edges: { cursor: string; node: Row }[]
  nodes: Row[]
  pageInfo: PageInfo
  /** Called only when the field is selected. */
  totalCount: () => Promise<number>
}

export interface PageOptions<Row> {
  ring: KeyRing
  list: ListIdentity
  args: PageArgs
  /** Rows in order from the position on, one more than the page holds, so that `hasNextPage` is known. */
  rows: Row[]
  position: (row: Row) => Position
  count: () => Promise<number>
}

/** @throws {AppError} `BAD_USER_INPUT` / `OUT_OF_RANGE`. */
export function pageSize(args: PageArgs): number {
  if (args.first < 1 || args.first > LARGEST_PAGE)
    throw badInput(['first'], 'OUT_OF_RANGE', `\`first\` takes 1 to ${LARGEST_PAGE}.`)
  return args.first
}

export function pageOf<Row>({
  ring,
  list,
  args,
  rows,
  position,
  count,
}: PageOptions<Row>): Page<Row> {
  const nodes = rows.slice(0, args.first)
  const cursorOf = (row: Row | undefined) => (row ? writeCursor(ring, list, position(row)) : null)
  return {
    nodes,
    // cursors cost an HMAC each: only where edges are asked for
    get edges() {
      return nodes.map(node => ({ cursor: cursorOf(node)!, node }))
    },
    get pageInfo() {
      return {
        hasNextPage: rows.length > nodes.length,
        hasPreviousPage: args.after != null,
        get startCursor() {
          return cursorOf(nodes[0])
        },
        get endCursor() {
          return cursorOf(nodes.at(-1))
        },
      }
    },
    totalCount: count,
  }
}

type Thunk = () => abstract new (...args: never[]) => object

interface ConnectionWords {
  page: string
  edge: string
}

/** The connection and edge types of a noun, such as `MemberConnection` and `MemberEdge`. */
export function connectionTypes(name: string, node: Thunk, words: ConnectionWords) {
  const Uncounted = uncounted(node, edgeOf(name, node, words))
  @ObjectType(`${name}Connection`, { description: words.page, simpleResolvers: true })
  class Connection extends Uncounted {
    @Field(() => Int, { description: 'How many match in all. Counted only when asked for.' })
    totalCount!: () => Promise<number>
  }
  return Connection
}

/** The same for lists that grow for ever, and are not counted. */
export function uncountedConnectionTypes(name: string, node: Thunk, words: ConnectionWords) {
  const Uncounted = uncounted(node, edgeOf(name, node, words))
  @ObjectType(`${name}Connection`, { description: words.page, simpleResolvers: true })
  class Connection extends Uncounted {}
  return Connection
}

function edgeOf(name: string, node: Thunk, words: ConnectionWords) {
  @ObjectType(`${name}Edge`, { description: words.edge, simpleResolvers: true })
  class Edge {
    @Field(() => String)
    cursor!: string

    @Field(() => node() as never)
    node!: object
  }
  return Edge
}

function uncounted(node: Thunk, Edge: new () => { cursor: string; node: object }) {
  @ObjectType({ simpleResolvers: true })
  class Uncounted {
    @Field(() => [Edge])
    edges!: { cursor: string; node: object }[]

    @Field(() => [node() as never], { description: 'The same things without cursors.' })
    nodes!: object[]

    @Field(() => PageInfo)
    pageInfo!: PageInfo
  }
  return Uncounted
}
