import type { Queries } from '../../database/sql.ts'
import type { Jobs } from '../../outbox/jobs.ts'
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
  log: { info(what: object, message: string): void; error(what: object, message: string): void }
}

/** Takes part in what is done at set times; pg-boss sees to it that one node does it. */
export async function startChores(tools: ChoreTools): Promise<void> {
  const { jobs, system, keys, ceilings, sealAnew, clock, log } = tools
  const perform = (chore: Parameters<Jobs['perform']>[0], work: Parameters<Jobs['perform']>[1]) =>
    jobs.perform(chore, work, err => log.error({ err, chore }, 'a chore failed'))
  await perform('purge', async signal => {
    const rows = await purge({ system, ceilings, now: clock(), signal })
    log.info({ rows }, 'what was out of date is purged')
  })
  await perform('rotate-keys', async signal => {
    for (const seal of sealAnew) await seal(system, keys, signal)
    const rotation = await rotateIfDue(system, keys, clock())
    if (rotation) log.info({ ...rotation }, 'the signing keys were rotated')
  })
}
