import { tenantOf } from '../../access/viewer.ts'
import { transactForServer, type ServerTools, type Work } from '../../access/work.ts'
import { findDeputy } from '../../credentials/callers/deputy.ts'
import { isPassing, isTaken } from '../../database/failures.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { Refused } from '../../outbox/jobs.ts'
import { AppError, forbidden } from '../../shared/errors.ts'
import type { WaitingStep } from './start.ts'
import type { WorkflowStep } from './step.type.ts'
import { takeStep, type DueRun } from './take-step.ts'
import { readSteps } from './workflow.loaders.ts'
import { targetOf } from './workflow.service.ts'

interface Claimed extends DueRun {
  updatedById: string
  updatedWithId: string | null
}

/** Takes the steps of runs, and ends the runs whose step was given up. */
export function createRunCourier(tools: ServerTools) {
  // what a run does is found by its id, and sets no workflow off
  const asSystem = <Result>(run: string, unit: (work: Work) => Promise<Result>) =>
    transactForServer(tools, run, unit, 'Gatehouse workflow')
  return {
    /**
     * Takes one step of a run, in one transaction: the run moves on by a conditional update, so of any number that take
     * a step one does, and where its node dies nothing has happened. A rule that refuses the step ends the run and
     * undoes what the step had begun; what passes by itself is tried again.
     */
    take: ({ run: id, step: position }: WaitingStep): Promise<void> =>
      asSystem(id, async work => {
        const run = await claim(work, id, position)
        if (!run) return
        const steps = await readSteps(work.db, [run.workflow.id])
        const step = steps[position]
        if (!step) return finish(work, id)
        try {
          if (step.kind !== 'WAIT') await work.savepoint(() => actFor(work, run, step, position))
        } catch (error) {
          if (error instanceof AppError && error.code !== 'SERVICE_UNAVAILABLE')
            return fail(work, run, position, error)
          throw worthRepeating(error) ? error : refused(error)
        }
        const isWait = step.kind === 'WAIT'
        if (!isWait && position + 1 >= steps.length) return finish(work, id)
        const next: WaitingStep = { run: id, step: position + 1 }
        await work.server.enqueue(work, 'workflow-step', next, isWait ? step.minutes * 60 : 0)
      }),
    /** Ends a run whose step failed again and again for no reason that its author could see to. */
    giveUp: ({ run: id, step: position }: WaitingStep): Promise<void> =>
      asSystem(id, async work => {
        const run = await claim(work, id, position)
        const fault = new AppError('INTERNAL_SERVER_ERROR', 'The server could not take this step.')
        if (run) await fail(work, run, position, fault)
      }),
  }
}

const worthRepeating = (error: unknown): boolean =>
  error instanceof AppError || isPassing(error) || isTaken(error)

const refused = (cause: unknown) =>
  Object.assign(new Refused(cause instanceof Error ? cause.message : 'The step failed.'), { cause })

/** Moves a run past a step; nothing where another has, or where the run has ended. */
async function claim(work: Work, id: string, position: number): Promise<Claimed | undefined> {
  return firstRow<Claimed>(
    work.db,
    sql`update workflow_run r set step = r.step + 1 from workflow w
      where r.id = ${id} and r.step = ${position} and r.status = 'RUNNING' and w.id = r.workflow_id
      returning r.id, r.event, r.principal_id as "principalId", w.updated_by_id as "updatedById",
        w.updated_with_id as "updatedWithId", json_build_object('id', w.id, 'name', w.name, 'projectId', w.project_id,
          'organisationId', w.organisation_id) as workflow`,
  )
}

/** In the place of whoever changed the workflow last, as far as they may act at this moment. */
async function actFor(
  work: Work,
  run: Claimed,
  step: Exclude<WorkflowStep, { kind: 'WAIT' }>,
  position: number,
): Promise<void> {
  const author = { principalId: run.updatedById, apiKeyId: run.updatedWithId }
  const viewer = await findDeputy(work.db, author, work.now)
  if (!viewer)
    throw forbidden(
      'PERMISSION_MISSING',
      'Whoever changed this workflow last has left, is barred or locked, or their key is no more. Somebody else has to change it.',
    )
  // the trail tells the act of a person from that of a workflow in their place
  const userAgent = `Gatehouse workflow "${run.workflow.name}"`
  const acting = { ...work, viewer, request: { ...work.request, userAgent } }
  await work.as(tenantOf(viewer), () => takeStep(acting, viewer, run, step, position))
}

const finish = async (work: Work, id: string): Promise<void> => {
  await work.db.rows(
    sql`update workflow_run set status = 'SUCCEEDED', finished_at = ${work.now} where id = ${id}`,
  )
}

async function fail(work: Work, run: Claimed, position: number, error: AppError): Promise<void> {
  await work.db.rows(sql`
    update workflow_run set status = 'FAILED', finished_at = ${work.now}, step = ${position},
      problem_code = ${error.code}, problem_reason = ${error.details.reason ?? null}, problem_message = ${error.message}
    where id = ${run.id}`)
  await record(work, 'workflow.run_failed', {
    organisationId: run.workflow.organisationId,
    target: targetOf(run.workflow),
    reason: error.message,
    bySystem: true,
  })
}
