import { badInput } from '../../shared/errors.ts'

/** Bounds of every number, inclusive. */
const RANGES = {
  minLength: [8, 128],
  minCharacterKinds: [0, 4],
  idleTimeoutMinutes: [1, 525_600],
  lifetimeHours: [1, 8_760],
  maxPerUser: [1, 1_000],
  maxLifetimeDays: [1, 3_650],
  invitationLifetimeHours: [1, 2_160],
  failedSignInLimit: [1, 100],
  failedSignInWindowMinutes: [1, 10_080],
} as const

export type Range = keyof typeof RANGES

/** A number within its bounds, as typed. */
export function within(value: number, path: string[], range: Range): number {
  const [least, most] = RANGES[range]
  if (value < least || value > most)
    throw badInput(
      ['input', ...path],
      'OUT_OF_RANGE',
      `\`${path.join('.')}\` takes ${least} to ${most}.`,
    )
  return value
}
