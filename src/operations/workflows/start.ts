import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { newId } from '../../shared/tokens.ts'

/** What a job says of a step that is due. */
export interface WaitingStep {
  run: string
  /** Its position, from 0 on: where the run has gone past it, there is nothing to do. */
  step: number
}

/**
 * The member whom an event `e` is about, be it that it tells of the member, or of their invitation, session or key, or
 * of the account behind them.
 */
const PERSON = sql`coalesce(
  (select m.id from principal m where m.id = e.target_id and m.organisation_id = e.organisation_id and m.kind = 'MEMBER'),
  (select i.principal_id from invitation i where i.id = e.target_id and i.organisation_id = e.organisation_id),
  (select s.principal_id from session s where s.id = e.target_id and s.organisation_id = e.organisation_id),
  (select m.id from api_key k join principal m on m.id = k.owner_id and m.kind = 'MEMBER'
    where k.id = e.target_id and k.organisation_id = e.organisation_id),
  (select m.id from principal m where m.user_id = e.target_id and m.organisation_id = e.organisation_id
    and m.removed_at is null))`

/** An event of a project: about itself, about a place in it, or else about somebody who has one there. */
const IN_PROJECT = sql`e.target_id = w.project_id
  or exists (select from jsonb_array_elements(e.changes) c where c ->> 'field' = 'projectId'
    and w.project_id::text in (c ->> 'before', c ->> 'after'))
  or (e.topic not like 'project_access.%' and exists (
    select from project_access a where a.project_id = w.project_id and a.principal_id = about.person))`

/**
 * Begins a run of each workflow that waits for one of some events, once, however often it is asked to; as *system*. Acts
 * that were refused set nothing off, and neither does what a run does: so no workflow sets itself off, nor do two of
 * them each other.
 */
export async function startRuns(work: Work, events: string[]): Promise<void> {
  const wanted = await work.db.rows<{ event: string }>(sql`
    select e.id as event, w.id as workflow_id, w.organisation_id, about.person as principal_id
    from event e
    join organisation o on o.id = e.organisation_id and o.deleted_at is null
    join workflow w on w.organisation_id = e.organisation_id and w.topic = e.topic and w.enabled
    cross join lateral (select ${PERSON} as person) as about
    where e.id = any(${events}::uuid[]) and e.outcome = 'SUCCEEDED'
      and not exists (select from workflow_run r
        where r.id = case when e.request_id ~ '^[0-9a-f-]{36}$' then e.request_id::uuid end)
      and (w.project_id is null or ${IN_PROJECT})
    order by w.id, e.id for share of w`)
  if (!wanted.length) return
  const rows = wanted.map(row => ({ ...row, id: newId() }))
  const begun = await work.db.rows<{ id: string }>(sql`
    insert into workflow_run (id, created_at, organisation_id, workflow_id, event, principal_id, status)
    select id, ${work.now}::timestamptz, organisation_id, workflow_id, event, principal_id, 'RUNNING'
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (id uuid, organisation_id uuid, workflow_id uuid, event uuid, principal_id uuid)
    on conflict on constraint workflow_run_once do nothing returning id`)
  const jobs = begun.map(({ id }) => ({ run: id, step: 0 }) satisfies WaitingStep)
  await work.server.enqueueAll(work, 'workflow-step', jobs)
}
