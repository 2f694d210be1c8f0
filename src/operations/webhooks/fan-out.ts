import { transactForServer, type ServerTools } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import type { WaitingEvents } from '../../outbox/events/event.service.ts'
import type { Attempt } from '../../outbox/jobs.ts'
import { newId } from '../../shared/tokens.ts'
import { startRuns } from '../workflows/start.ts'
import type { WaitingDelivery } from './courier.ts'

/** Makes a delivery of each event to each webhook that waits for its topic, and a run of each workflow, once, however often it is asked to. */
export const createFanOut =
  (tools: ServerTools) =>
  ({ events }: WaitingEvents, { job }: Attempt): Promise<void> =>
    transactForServer(tools, job, async work => {
      const wanted = await work.db.rows<{ event: string }>(sql`
        select e.id as event, e.topic, w.id as webhook_id, w.organisation_id from event e
        join organisation o on o.id = e.organisation_id and o.deleted_at is null
        join webhook w on w.organisation_id = e.organisation_id and w.enabled
          and w.topics && array[e.topic, split_part(e.topic, '.', 1) || '.*']
        where e.id = any(${events}::uuid[]) order by e.id, w.id`)
      const rows = wanted.map(row => ({ ...row, id: newId() }))
      const made = await work.db.rows<{ id: string }>(sql`
        insert into webhook_delivery (id, created_at, organisation_id, webhook_id, event, topic, status)
        select id, ${work.now}::timestamptz, organisation_id, webhook_id, event, topic, 'PENDING'
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as d (id uuid, organisation_id uuid, webhook_id uuid, event uuid, topic text)
        on conflict on constraint webhook_delivery_once do nothing returning id`)
      const jobs = made.map(({ id }) => ({ delivery: id }) satisfies WaitingDelivery)
      await work.server.enqueueAll(work, 'webhook-delivery', jobs)
      await startRuns(work, events)
    })
