import DataLoader from 'dataloader'
import { inOrder } from '../shared/batch.ts'
import type { Queries, Statement } from './sql.ts'

/** A row and the organisation it lies in, which decides in which context it is read. */
interface Place {
  organisationId: string
  id: string
}

/** In which context the rows of an organisation are read for one operation. */
export type ReadIn = (organisationId: string) => Queries

/**
 * Batches look-ups of one operation by id: one statement for each organisation and turn. A row that was read already
 * is there at once, for in a list a promise for each row costs more than the row.
 */
class RowLoader<Row extends { id: string }> {
  readonly #known = new Map<string, Row | null>()
  readonly #loader: DataLoader<Place, Row | null, string>
  readonly #read: ReadIn
  #ahead: Promise<void> | undefined

  constructor(read: ReadIn, select: (ids: string[]) => Statement) {
    this.#read = read
    this.#loader = new DataLoader(
      async places => {
        const groups = [...Map.groupBy(places, place => place.organisationId)]
        const rows = await Promise.all(
          groups.map(([organisationId, some]) =>
            read(organisationId).rows<Row>(byKey(select(some.map(place => place.id)))),
          ),
        )
        const found = inOrder(
          places.map(place => place.id),
          rows.flat(),
          row => row.id,
        )
        places.forEach(({ id }, index) => this.#known.set(id, found[index]!))
        return found
      },
      { cacheKeyFn: place => place.id },
    )
  }

  load(place: Place): Promise<Row | null> {
    return this.#loader.load(place)
  }

  /** The row, or a promise of it where it has yet to be read. */
  find(place: Place): Row | null | Promise<Row | null> {
    const known = this.#known.get(place.id)
    return known === undefined ? this.#loader.load(place) : known
  }

  /** Reads rows that will likely be asked for, in the same breath as what is read next. */
  readAhead(organisationId: string, likely: Statement): void {
    this.#ahead = this.#read(organisationId)
      .rows<Row>(likely)
      .then(rows => rows.forEach(row => this.prime({ organisationId, id: row.id }, row)))
    // `loadAll` hears of it
    this.#ahead.catch(() => undefined)
  }

  /** Reads some rows at once, so that each is there when it is asked for. */
  async loadAll(organisationId: string, ids: Iterable<string>): Promise<void> {
    await this.#ahead
    const unknown = [...ids].filter(id => !this.#known.has(id))
    if (unknown.length) await this.#loader.loadMany(unknown.map(id => ({ organisationId, id })))
  }

  /** Makes a row known that was read otherwise. */
  prime(place: Place, row: Row): void {
    this.#known.set(place.id, row)
    this.#loader.prime(place, row)
  }
}

const byKey = ({ text, values }: Statement): Statement => ({ text, values, planOnce: true })

export const loaderById = <Row extends { id: string }>(
  read: ReadIn,
  select: (ids: string[]) => Statement,
) => new RowLoader<Row>(read, select)

/** A loader's answer where a foreign key says that there is one. */
export function certain<Row>(row: Promise<Row | null>): Promise<Row>
export function certain<Row>(row: Row | null | Promise<Row | null>): Row | Promise<Row>
export function certain<Row>(row: Row | null | Promise<Row | null>): Row | Promise<Row> {
  if (row instanceof Promise) return row.then(found => certain(found))
  if (row == null) throw new Error('A row that a key points at could not be read.')
  return row
}
