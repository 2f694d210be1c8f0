import type { ServerTools } from '../../access/work.ts'
import type { ChoreLog, Jobs } from '../../outbox/jobs.ts'
import { sendDigests } from './digest.service.ts'

export interface NotificationTools extends ServerTools {
  jobs: Jobs
  log: ChoreLog & { info(what: object, message: string): void }
}

/** Takes part in sending digests, every quarter of an hour: so far apart are the hours of different places. */
export const startDigests = ({ jobs, log, ...tools }: NotificationTools): Promise<void> =>
  jobs.perform(
    'digests',
    async signal => {
      const sent = await sendDigests(tools, signal)
      if (sent) log.info({ sent }, 'digests are on their way')
    },
    log,
  )
