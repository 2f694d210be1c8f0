import pLimit from 'p-limit'
import sharp from 'sharp'

/** Sides of the squares that an avatar is kept as, in pixels; the first is the one that is named. */
export const AVATAR_SIDES = [512, 128] as const

const MOST_PIXELS = 40_000_000
const SECONDS = 10
/** What a file of each kind begins with: only these are handed to a decoder at all. */
const BEGINNINGS: Record<string, (bytes: Buffer) => boolean> = {
  'image/png': bytes => bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex')),
  'image/jpeg': bytes => bytes.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex')),
  'image/webp': bytes =>
    bytes.subarray(0, 4).toString('latin1') === 'RIFF' &&
    bytes.subarray(8, 12).toString('latin1') === 'WEBP',
}

/** The kinds of image that are taken, as media types. */
export const AVATAR_TYPES = Object.keys(BEGINNINGS)

// no other decoder of the library is reachable, whatever a file claims to be
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
})
sharp.cache(false)

const inTurn = pLimit(2)

/**
 * Decodes an image and makes squares of it anew, in the order of `AVATAR_SIDES`, as WebP without metadata: nothing of
 * the file itself is kept. Null for what is no image of the given kind, is damaged, or would unfold beyond measure.
 */
export async function squaresOf(bytes: Buffer, contentType: string): Promise<Buffer[] | null> {
  if (!BEGINNINGS[contentType]?.(bytes)) return null
  return inTurn(async () => {
    try {
      return await Promise.all(AVATAR_SIDES.map(side => square(bytes, side)))
    } catch {
      return null
    }
  })
}

const square = (bytes: Buffer, side: number): Promise<Buffer> =>
  sharp(bytes, { limitInputPixels: MOST_PIXELS, failOn: 'error', pages: 1 })
    .autoOrient()
    .resize(side, side, { fit: 'cover' })
    .webp({ quality: 82 })
    .timeout({ seconds: SECONDS })
    .toBuffer()
