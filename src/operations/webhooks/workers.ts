import type { Server } from '../../access/work.ts'
import type { Database } from '../../database/orm.ts'
import type { WaitingEvents } from '../../outbox/events/event.service.ts'
import type { Failure, Jobs } from '../../outbox/jobs.ts'
import { createWebhookCourier, type WaitingDelivery } from './courier.ts'
import { createFanOut } from './fan-out.ts'
import { createPost } from './post.ts'
import { createSettle, endDelivery } from './settle.ts'

export interface WebhookTools {
  jobs: Jobs
  database: Database
  server: Server
  now: () => Date
  log: { debug(what: object, message: string): void; warn(what: object, message: string): void }
}

/** Works the queues of webhooks: events are made into deliveries, and deliveries are attempted. */
export async function startWebhooks({ jobs, database, server, now, log }: WebhookTools) {
  const { store } = database
  const { system } = store
  const post = createPost({ allowPrivate: server.config.WEBHOOK_ALLOW_PRIVATE })
  const settle = createSettle({ store, system, server, now })
  const drop = (id: string) => endDelivery(system, id)
  const say = ({ job, attempt, error: err }: Failure, words: string) =>
    attempt === 1 ? log.warn({ job, err }, words) : log.debug({ job, attempt, err }, words)
  await jobs.consume<WaitingEvents>(
    'webhook-event',
    createFanOut({ store, server, now }),
    failure => say(failure, 'events were not handed to webhooks yet'),
  )
  await jobs.consume<WaitingDelivery>(
    'webhook-delivery',
    createWebhookCourier({ system, keys: server.keys, post, settle, drop, now }),
    failure => say(failure, 'an event was not posted to a webhook yet'),
  )
}
