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

/** One page; cursors cost an HMAC each and are made where they are asked for. */
export const pageOf = <Row>(options: PageOptions<Row>): Page<Row> => new ReadPage(options)

// Classes, for V8 gives each object literal with a getter a shape of its own, which keeps what the getter sees, the rows
// and the request with them, until the old generation is collected.
class ReadPage<Row> implements Page<Row> {
  readonly nodes: Row[]
  readonly totalCount: () => Promise<number>
  readonly pageInfo: PageInfo
  readonly #options: PageOptions<Row>

  constructor(options: PageOptions<Row>) {
    this.#options = options
    this.nodes = options.rows.slice(0, options.args.first)
    this.totalCount = options.count
    this.pageInfo = new PlaceOf(options, this.nodes)
  }

  get edges() {
    return this.nodes.map(node => ({ cursor: cursorOf(this.#options, node), node }))
  }
}

/** Where a page lies in its list. */
class PlaceOf<Row> implements PageInfo {
  readonly #options: PageOptions<Row>
  readonly #nodes: Row[]

  constructor(options: PageOptions<Row>, nodes: Row[]) {
    this.#options = options
    this.#nodes = nodes
  }

  get hasNextPage() {
    return this.#options.rows.length > this.#nodes.length
  }

  get hasPreviousPage() {
    return this.#options.args.after != null
  }

  get startCursor() {
    return this.#cursorAt(0)
  }

  get endCursor() {
    return this.#cursorAt(-1)
  }

  #cursorAt(place: number): string | null {
    const row = this.#nodes.at(place)
    return row === undefined ? null : cursorOf(this.#options, row)
  }
}

const cursorOf = <Row>({ ring, list, position }: PageOptions<Row>, row: Row): string =>
  writeCursor(ring, list, position(row))

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
