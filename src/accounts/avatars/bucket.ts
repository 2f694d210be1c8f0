import { AwsClient } from 'aws4fetch'
import { createHash } from 'node:crypto'
import { AppError } from '../../shared/errors.ts'
import type { Storage } from '../../shared/storage.ts'
import { AVATAR_SIDES } from './image.ts'
import type { ImageStore } from './image-store.ts'

const TIMEOUT_MS = 10_000
/** Largest image that is read back, in bytes: what is put there is far smaller. */
const LARGEST = 5_000_000
const RETRIES = 2

function storageAway(what: string): AppError {
  const error = new AppError(
    'SERVICE_UNAVAILABLE',
    'Images can be neither stored nor read at the moment. Send the same request again shortly.',
    { retryAfter: 5 },
  )
  error.cause = new Error(`The storage ${what}.`)
  return error
}

/**
 * Keeps images in a bucket that speaks S3. Each request is signed with the digest of its body (AWS Signature Version 4),
 * so that nothing on the way can change it.
 *
 * @throws {AppError} `SERVICE_UNAVAILABLE` where the storage is away or refuses.
 */
export function bucketImages({ url, ...credentials }: Storage): ImageStore {
  const client = new AwsClient({
    ...credentials,
    service: 's3',
    retries: RETRIES,
    initRetryMs: 100,
  })
  const at = (key: string, pixels: number) => `${url}/avatars/${key}/${pixels}.webp`
  const send = async (method: string, address: string, body?: Buffer): Promise<Response> => {
    const headers = {
      'x-amz-content-sha256': createHash('sha256')
        .update(body ?? '')
        .digest('hex'),
      ...(body && { 'content-type': 'image/webp' }),
    }
    const options = {
      method,
      headers,
      redirect: 'error' as const,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body && { body: new Uint8Array(body) }),
    }
    const answer = await client.fetch(address, options).catch(() => null)
    if (!answer) throw storageAway('does not answer')
    if (answer.ok || answer.status === 404) return answer
    await answer.body?.cancel()
    throw storageAway(`answers with ${answer.status}`)
  }
  return {
    put: async (key, pixels, bytes) => {
      const { ok } = await send('PUT', at(key, pixels), bytes)
      // there is no such bucket
      if (!ok) throw storageAway('answers with 404')
    },
    get: async (key, pixels) => {
      const answer = await send('GET', at(key, pixels))
      if (answer.ok && Number(answer.headers.get('content-length') ?? 0) <= LARGEST)
        return Buffer.from(await answer.arrayBuffer())
      await answer.body?.cancel()
      return null
    },
    remove: async key => {
      for (const pixels of AVATAR_SIDES) await send('DELETE', at(key, pixels))
    },
  }
}
