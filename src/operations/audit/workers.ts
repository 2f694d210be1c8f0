import type { Server } from '../../access/work.ts'
import type { Database } from '../../database/orm.ts'
import type { WaitingErasure } from '../../outbox/events/event.service.ts'
import type { ChoreLog, Jobs } from '../../outbox/jobs.ts'
import { eraseFromEvents, eraseLatecomers } from './erasure.ts'
import { dropOldEvents, makeMonths } from './retention.ts'
import { sealEvents } from './seal.ts'

export interface AuditTools {
  jobs: Jobs
  database: Database
  server: Server
  now: () => Date
  log: ChoreLog & { info(what: object, message: string): void }
}

/** Works what belongs to the trail: seals, months, retention and erasure. */
export async function startAudit({ jobs, database, server, now, log }: AuditTools): Promise<void> {
  const { store } = database
  const { system } = store
  const days = server.config.AUDIT_RETENTION_DAYS
  await jobs.consume<WaitingErasure>(
    'event-erasure',
    ({ userId }, { signal }) => eraseFromEvents(system, userId, signal),
    ({ job, error: err }) => log.warn({ job, err }, 'somebody was not erased from the trail yet'),
  )
  const onSealed = (seal: object) => log.info(seal, 'events were sealed')
  const seal = (signal: AbortSignal) => sealEvents({ store, server, now, signal, onSealed })
  const keep = async (signal: AbortSignal) => {
    await makeMonths(system, now())
    await eraseLatecomers(system, now(), signal)
    if (days === undefined) return
    const dropped = await dropOldEvents(system, now(), days, signal)
    log.info({ ...dropped }, 'events whose time was over are dropped')
  }
  await jobs.perform('seal-events', seal, log)
  await jobs.perform('keep-events', keep, log)
}
