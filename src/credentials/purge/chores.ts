import type { Queries } from '../../database/sql.ts'
import type { ChoreLog, Jobs } from '../../outbox/jobs.ts'
import type { KeyRing } from '../../shared/seal.ts'
import type { SessionCeilings } from '../../tenancy/policies/session-end.ts'
import { rotateIfDue } from '../signing-keys/rotation.ts'
import { purge } from './purge.ts'

export interface ChoreTools {
  jobs: Jobs
  /** Queries that run as *system*. */
  system: Queries
  keys: KeyRing
  ceilings: SessionCeilings
  /** What seals anew, so that an older secret of this server can be given up. */
  sealAnew: ((system: Queries, keys: KeyRing, signal: AbortSignal) => Promise<void>)[]
  clock: () => Date
  log: ChoreLog & { info(what: object, message: string): void }
}

/** Takes part in what is done at set times; pg-boss sees to it that one node does it. */
export async function startChores(tools: ChoreTools): Promise<void> {
  const { jobs, system, keys, ceilings, sealAnew, clock, log } = tools
  const clean = async (signal: AbortSignal) => {
    const rows = await purge({ system, ceilings, now: clock(), signal })
    log.info({ rows }, 'what was out of date is purged')
  }
  const rotate = async (signal: AbortSignal) => {
    for (const seal of sealAnew) await seal(system, keys, signal)
    const rotation = await rotateIfDue(system, keys, clock())
    if (rotation) log.info({ ...rotation }, 'the signing keys were rotated')
  }
  await jobs.perform('purge', clean, log)
  await jobs.perform('rotate-keys', rotate, log)
}
