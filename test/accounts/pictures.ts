import sharp from 'sharp'
import { expect } from 'vitest'
import type { Person } from '../support/people.ts'

export const picture = (width = 900, height = 300) =>
  sharp({ create: { width, height, channels: 3, background: '#c60' } }).withExif({
    IFD0: { Artist: 'Somebody private' },
  })

export interface Target {
  id: string
  url: string
  method: string
  headers: { name: string; value: string }[]
}

export const CREATE = `mutation ($input: CreateAvatarUploadInput!) { createAvatarUpload(input: $input) {
  id url method headers { name value } expiresAt } }`
export const announce = async (
  by: Person,
  size: number,
  contentType = 'image/png',
): Promise<Target> => (await by.ask(CREATE, { input: { contentType, size } })).createAvatarUpload
export const send = (
  { url, method, headers }: Target,
  bytes: Buffer,
  more: Record<string, string> = {},
) =>
  fetch(url, {
    method,
    headers: { ...Object.fromEntries(headers.map(({ name, value }) => [name, value])), ...more },
    body: new Uint8Array(bytes),
  })
export const use = async (by: Person, uploadId: string): Promise<string> =>
  (
    await by.ask(`mutation ($id: ID!) { setAvatar(uploadId: $id) { user { avatarUrl } } }`, {
      id: uploadId,
    })
  ).setAvatar.user.avatarUrl

/** Announces an image, sends it and takes it; brings the avatar's address. */
export async function dress(by: Person, bytes: Buffer, contentType = 'image/png'): Promise<string> {
  const target = await announce(by, bytes.length, contentType)
  expect((await send(target, bytes)).status).toBe(204)
  return use(by, target.id)
}
