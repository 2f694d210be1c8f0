import type { Work } from '../../access/work.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { CODES_GIVEN, newRecoveryCode, readRecoveryCode, recoveryDigests } from './recovery-code.ts'

/** Puts fresh codes in the place of all there were; as *system*. They are shown this once. */
export async function replaceRecoveryCodes(work: Work, userId: string): Promise<string[]> {
  await dropRecoveryCodes(work, userId)
  const codes = Array.from({ length: CODES_GIVEN }, newRecoveryCode)
  const { keys } = work.server
  const digests = codes.map(code => recoveryDigests(keys, userId, readRecoveryCode(code)!)[0]!)
  await work.db.rows(sql`
    insert into recovery_code (user_id, digest, created_at)
    select ${userId}::uuid, given, ${work.now}::timestamptz from unnest(${digests}::text[]) as given`)
  return codes
}

/** Leaves an account without codes; as *system*. */
export const dropRecoveryCodes = (work: Work, userId: string): Promise<unknown[]> =>
  work.db.rows(sql`delete from recovery_code where user_id = ${userId}`)

/** Whether one of these digests is a code that is still good; as *system*. */
export const isUnused = async (
  system: Queries,
  userId: string,
  digests: string[],
): Promise<boolean> =>
  (await firstRow(
    system,
    sql`select from recovery_code where user_id = ${userId} and digest = any(${digests}::text[]) and used_at is null`,
  )) != null

/** Uses a code up, once whoever asks; as *system*. Answers how many are left, null where it was used already. */
export async function useRecoveryCode(
  work: Work,
  userId: string,
  digests: string[],
): Promise<number | null> {
  const used = await work.db.rows(sql`
    update recovery_code set used_at = ${work.now}
    where user_id = ${userId} and digest = any(${digests}::text[]) and used_at is null returning digest`)
  if (!used.length) return null
  return countUnused(work.db, userId)
}

/** How many codes are left; as *system* or *self*. */
export async function countUnused(queries: Queries, userId: string): Promise<number> {
  const row = await firstRow<{ left: number }>(
    queries,
    sql`select count(*)::int as left from recovery_code where user_id = ${userId} and used_at is null`,
  )
  return row?.left ?? 0
}
