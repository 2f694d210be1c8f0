import type { Queries } from '../../database/sql.ts'
import type { WaitingErasure } from '../../outbox/events/event.service.ts'
import type { Jobs } from '../../outbox/jobs.ts'
import { eraseFromEvents } from './erasure.ts'

export interface AuditTools {
  jobs: Jobs
  /** Queries that run as *system*. */
  system: Queries
  log: { warn(what: object, message: string): void }
}

/** Works what belongs to the trail. */
export async function startAudit({ jobs, system, log }: AuditTools): Promise<void> {
  await jobs.consume<WaitingErasure>(
    'event-erasure',
    ({ userId }, { signal }) => eraseFromEvents(system, userId, signal),
    ({ job, error: err }) => log.warn({ job, err }, 'somebody was not erased from the trail yet'),
  )
}
