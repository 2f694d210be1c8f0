import { firstRow, sql, type Queries } from '../../database/sql.ts'

/** Where the bytes of images lie. Keys are random and never used twice. */
export interface ImageStore {
  put(key: string, pixels: number, bytes: Buffer, now: Date): Promise<void>
  get(key: string, pixels: number): Promise<Buffer | null>
  remove(key: string): Promise<void>
}

/** Keeps images in the database: nothing else is needed, and a backup holds them too. */
export const databaseImages = (system: Queries): ImageStore => ({
  put: async (key, pixels, bytes, now) => {
    await system.rows(
      sql`insert into avatar_image (key, pixels, created_at, bytes) values (${key}, ${pixels}, ${now}, ${bytes})`,
    )
  },
  get: async (key, pixels) => {
    const row = await firstRow<{ bytes: Uint8Array }>(
      system,
      sql`select bytes from avatar_image where key = ${key} and pixels = ${pixels}`,
    )
    return row ? Buffer.from(row.bytes) : null
  },
  remove: async key => void (await system.rows(sql`delete from avatar_image where key = ${key}`)),
})
