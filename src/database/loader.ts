import DataLoader from 'dataloader'
import { inOrder } from '../shared/batch.ts'
import type { Queries, Statement } from './sql.ts'

/** A row and the organisation it lies in, which decides in which context it is read. */
export interface Place {
  organisationId: string
  id: string
}

/** In which context the rows of an organisation are read for one operation. */
export type ReadIn = (organisationId: string) => Queries

/** Batches look-ups of one operation by id: one statement for each organisation and turn. */
export function loaderById<Row extends { id: string }>(
  read: ReadIn,
  select: (ids: string[]) => Statement,
) {
  return new DataLoader<Place, Row | null, string>(
    async places => {
      const groups = [...Map.groupBy(places, place => place.organisationId)]
      const rows = await Promise.all(
        groups.map(([organisationId, some]) =>
          read(organisationId).rows<Row>(select(some.map(place => place.id))),
        ),
      )
      return inOrder(
        places.map(place => place.id),
        rows.flat(),
        row => row.id,
      )
    },
    { cacheKeyFn: place => place.id },
  )
}

/** A loader's answer where a foreign key says that there is one. */
export async function certain<Row>(row: Promise<Row | null>): Promise<Row> {
  const found = await row
  if (!found) throw new Error('A row that a key points at could not be read.')
  return found
}
