import type { Work } from '../../access/work.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import type { Config } from '../../shared/config.ts'
import { bucketImages } from './bucket.ts'
import { databaseImages, type ImageStore } from './image-store.ts'

/** Where images are kept: in the bucket of `STORAGE_URL`, else in the database. */
export const imagesOf = ({ STORAGE_URL }: Config, system: Queries): ImageStore =>
  STORAGE_URL ? bucketImages(STORAGE_URL) : databaseImages(system)

/** What a job says of an image that nobody may show any more. */
export interface UnwantedImage {
  key: string
}

/** Lets an image go with the transaction; from a bucket a job removes it afterwards. As *system*. */
export const letImageGo = (work: Work, key: string): Promise<void> =>
  work.server.config.STORAGE_URL
    ? work.server.enqueue(work, 'unwanted-image', { key } satisfies UnwantedImage)
    : databaseImages(work.db).remove(key)

/** Removes what no account and no upload names: by then it was replaced, or sent and never used. */
export async function removeUnwanted(
  images: ImageStore,
  system: Queries,
  { key }: UnwantedImage,
  now: Date,
): Promise<void> {
  const shown = await firstRow(
    system,
    sql`select key from (values (${key}::text)) as k (key)
      where exists (select from user_account u where u.avatar_key = k.key)
        or exists (select from avatar_upload a where a.avatar_key = k.key and a.spent_at is null and a.expires_at > ${now})`,
  )
  if (!shown) await images.remove(key)
}
