import type { Work } from '../../access/work.ts'
import { SYSTEM } from '../../database/context.ts'
import { sql } from '../../database/sql.ts'
import { searchWords } from '../../shared/normalise.ts'

/** Writes the words anew by which operators find an organisation; to be called when its name or short name is new. */
export const writeOrganisationWords = (
  work: Work,
  { id, name, slug }: { id: string; name: string; slug: string },
): Promise<void> =>
  work.as(SYSTEM, async () => {
    await work.db.rows(sql`delete from organisation_word where organisation_id = ${id}`)
    await work.db.rows(sql`
      insert into organisation_word (organisation_id, word)
      select ${id}::uuid, word from unnest(${searchWords(name, slug)}::text[]) as w (word)`)
  })
