import { inSession } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput, conflict, notFound } from '../../shared/errors.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId, mac, newId, newToken, sameSecret } from '../../shared/tokens.ts'
import { AVATAR_SIDES, AVATAR_TYPES, squaresOf } from './image.ts'
import type { ImageStore } from './image-store.ts'
import { letImageGo } from './images.ts'
import type { CreateAvatarUploadInput, UploadTarget } from './avatar.type.ts'

/** Largest image that is taken, in bytes. */
export const LARGEST_IMAGE = 5_000_000
const UPLOAD_MS = 10 * 60_000
/** After so long an image is somebody's avatar, or will never be one. */
export const UNDECIDED_SECONDS = (2 * UPLOAD_MS) / 1_000
const PURPOSE = 'avatar upload'

/** Where an avatar is served from. */
export const avatarUrl = (publicUrl: string, key: string | null): string | null =>
  key && `${publicUrl}/avatars/${key}/${AVATAR_SIDES[0]}.webp`

/** Says where to send an image, and lets an earlier upload go; as *system*. */
export async function createAvatarUpload(
  work: Work,
  { contentType, size }: CreateAvatarUploadInput,
): Promise<UploadTarget> {
  const { userId } = inSession(work.viewer)
  if (!AVATAR_TYPES.includes(contentType))
    throw badInput(
      ['input', 'contentType'],
      'FILE_NOT_ACCEPTED',
      `Send one of ${AVATAR_TYPES.join(', ')}.`,
    )
  if (size < 1 || size > LARGEST_IMAGE)
    throw badInput(
      ['input', 'size'],
      'OUT_OF_RANGE',
      `An image has at most ${LARGEST_IMAGE} bytes.`,
    )
  // one after the other, so that the last one asked for is the one that counts
  await work.db.rows(sql`select id from user_account where id = ${userId} for no key update`)
  const [earlier] = await work.db.rows<{ avatarKey: string | null }>(sql`
    update avatar_upload set spent_at = ${work.now} where user_id = ${userId} and spent_at is null
    returning avatar_key as "avatarKey"`)
  if (earlier?.avatarKey) await letImageGo(work, earlier.avatarKey)
  const id = newId()
  const expiresAt = new Date(work.now.getTime() + UPLOAD_MS)
  await work.db.rows(sql`
    insert into avatar_upload (id, created_at, user_id, content_type, size, expires_at)
    values (${id}, ${work.now}, ${userId}, ${contentType}, ${size}, ${expiresAt})`)
  const { keys, config } = work.server
  return {
    id,
    url: `${config.PUBLIC_URL}/avatars/uploads/${id}?signature=${signatures(keys, id)[0]!.toString('base64url')}`,
    method: 'PUT',
    headers: [{ name: 'content-type', value: contentType }],
    expiresAt,
  }
}

const signatures = (keys: KeyRing, id: string): Buffer[] =>
  keys.derived(PURPOSE).map(key => mac(key, id))

/** Whether this server made the address: asked before the bytes are read, for anybody may send some. */
export function isSigned(keys: KeyRing, id: string, signature: string): boolean {
  const given = Buffer.from(signature, 'base64url')
  return isId(id) && signatures(keys, id).some(each => sameSecret(each, given))
}

export interface ReceivedImage {
  /** Of an upload whose address was signed. */
  id: string
  contentType: string
  bytes: Buffer
}

/** Where received images go. */
export interface Reception {
  system: Queries
  images: ImageStore
  /** Sees to it that an image goes again unless it has become somebody's avatar: said before it is stored. */
  remember: (key: string) => Promise<void>
  now: Date
}

/**
 * Takes the bytes of an upload in, as squares made anew. Whoever holds the signed address may send, once. The upload
 * names the image only after all of it has been stored.
 *
 * @throws {AppError} `NOT_FOUND` for an address that is too old or was used; `BAD_USER_INPUT` /
 *   `FILE_NOT_ACCEPTED` for what is no such image; `SERVICE_UNAVAILABLE` where images cannot be stored: the address is
 *   good for another try.
 */
export async function receiveImage(
  { system, images, remember, now }: Reception,
  { id, contentType, bytes }: ReceivedImage,
): Promise<void> {
  const upload = await firstRow<{ contentType: string; size: number }>(
    system,
    sql`select content_type as "contentType", size from avatar_upload
      where id = ${id} and spent_at is null and avatar_key is null and expires_at > ${now}`,
  )
  if (!upload) throw notFound('upload')
  const squares =
    contentType === upload.contentType && bytes.length === upload.size
      ? await squaresOf(bytes, contentType)
      : null
  if (!squares)
    throw badInput(
      ['body'],
      'FILE_NOT_ACCEPTED',
      'This is not the image that was announced, or it cannot be read.',
    )
  const key = newToken()
  await remember(key)
  for (const [index, square] of squares.entries())
    await images.put(key, AVATAR_SIDES[index]!, square, now)
  const taken = await system.rows(
    sql`update avatar_upload set avatar_key = ${key} where id = ${id} and spent_at is null and avatar_key is null returning id`,
  )
  if (taken.length) return
  // somebody else sent it at the same time
  await images.remove(key)
  throw notFound('upload')
}

/** Takes an uploaded image as avatar; as *system*. The one before is gone. */
export async function setAvatar(work: Work, uploadId: string): Promise<void> {
  const { userId } = inSession(work.viewer)
  // the account before the upload, as where an upload is announced
  await work.db.rows(sql`select id from user_account where id = ${userId} for no key update`)
  const upload = isId(uploadId)
    ? await firstRow<{ avatarKey: string | null }>(
        work.db,
        sql`update avatar_upload set spent_at = case when avatar_key is null then null else ${work.now}::timestamptz end
          where id = ${uploadId} and user_id = ${userId} and spent_at is null and expires_at > ${work.now}
          returning avatar_key as "avatarKey"`,
      )
    : undefined
  if (!upload) throw notFound('upload')
  if (!upload.avatarKey)
    throw conflict('STATE_MISMATCH', 'The image has not arrived yet. Send it to the given address.')
  await replaceAvatar(work, userId, upload.avatarKey)
}

/** Goes without an avatar; as *system*. */
export const removeAvatar = (work: Work): Promise<void> =>
  replaceAvatar(work, inSession(work.viewer).userId, null)

/** Gives an account another image or none, and lets the one before go; as *system*. */
export async function replaceAvatar(work: Work, userId: string, key: string | null): Promise<void> {
  const before = await firstRow<{ avatarKey: string | null }>(
    work.db,
    sql`select avatar_key as "avatarKey" from user_account where id = ${userId} for no key update`,
  )
  await work.db.rows(
    sql`update user_account set avatar_key = ${key}, updated_at = ${work.now} where id = ${userId}`,
  )
  if (before?.avatarKey) await letImageGo(work, before.avatarKey)
  await record(work, 'user.updated', {
    organisationId: null,
    target: { kind: 'User', id: userId },
    changes: [{ field: 'avatar', before: null, after: null }],
  })
}
