import type { KeyRing } from '../../shared/seal.ts'

const PURPOSE = 'totp seed'

/** Seals a seed for one factor: in the row of another it does not open. */
export const sealSeed = (ring: KeyRing, factorId: string, seed: string): string =>
  ring.seal(PURPOSE, `${factorId} ${seed}`)

/** @throws where no key of the ring sealed it, or it was sealed for another factor. */
export function openSeed(ring: KeyRing, factorId: string, sealed: string): string {
  const [owner, seed] = ring.open(PURPOSE, sealed).split(' ')
  if (owner !== factorId || !seed) throw new Error('A seed lies in the row of another factor.')
  return seed
}
