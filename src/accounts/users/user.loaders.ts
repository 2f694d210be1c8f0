import { columns } from '../../database/columns.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { notFound } from '../../shared/errors.ts'
import type { User } from './user.type.ts'

export const USER_FIELDS = [
  'id',
  'email',
  'emailVerifiedAt',
  'firstName',
  'lastName',
  'phoneNumber',
  'avatarKey',
  'locale',
  'timeZone',
  'status',
  'suspendedUntil',
  'lockedAt',
  'passwordChangedAt',
  'lastSignInAt',
  'operator',
  'secondFactor',
  'createdAt',
  'updatedAt',
] as const

/** One account, as its owner and operators see it. */
export async function getUser(queries: Queries, id: string): Promise<User> {
  const user = await firstRow<User>(
    queries,
    sql`select ${columns('u', USER_FIELDS)}, btrim(u.first_name || ' ' || u.last_name) as name
      from user_account u where u.id = ${id} and u.deleted_at is null`,
  )
  if (!user) throw notFound('user')
  return user
}
