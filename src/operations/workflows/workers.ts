import type { Server } from '../../access/work.ts'
import type { Database } from '../../database/orm.ts'
import type { Jobs } from '../../outbox/jobs.ts'
import { createRunCourier } from './courier.ts'
import type { WaitingStep } from './start.ts'

export interface WorkflowTools {
  jobs: Jobs
  database: Database
  server: Server
  now: () => Date
  log: { warn(what: object, message: string): void; error(what: object, message: string): void }
}

/** Works the queue of steps that are due. */
export async function startWorkflows({ jobs, database, server, now, log }: WorkflowTools) {
  const courier = createRunCourier({ store: database.store, server, now })
  await jobs.consume<WaitingStep>('workflow-step', courier.take, async failure => {
    const { job, data, attempt, final, error: err } = failure
    if (!final) return log.warn({ job, attempt, err }, 'a step of a workflow was not taken yet')
    log.error({ job, attempt, err }, 'a step of a workflow was given up')
    await courier.giveUp(data)
  })
}
