import type { Person } from '../support/people.ts'
import { until } from '../support/waiting.ts'

const STEPS = `steps { __typename ... on SendEmailStep { subject body } ... on CallWebhookStep { webhook { id url } }
  ... on AssignRoleStep { role { id name } } ... on GrantProjectAccessStep { project { id name } role { id name } }
  ... on WaitStep { minutes } }`
const WORKFLOW = `id name description enabled trigger { name } project { id } organisation { id } updatedBy { id name }
  createdAt updatedAt ${STEPS}`
const RUN = `id status startedAt finishedAt subject { id kind name } problem { code reason message path } workflow { id }`

export type Steps = Record<string, unknown>[]

export const mail = (subject = 'Welcome', body = 'Good that you are here.') => ({
  sendEmail: { subject, body },
})
export const wait = (minutes: number) => ({ wait: { minutes } })
export const assign = (roleId: string) => ({ assignRole: { roleId } })
export const enter = (projectId: string, roleId: string) => ({
  grantProjectAccess: { projectId, roleId },
})
export const call = (webhookId: string) => ({ callWebhook: { webhookId } })

/** The document and variables that define a workflow. */
export const defining = (steps: Steps, more: Record<string, unknown> = {}) =>
  [
    `mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) { workflow { ${WORKFLOW} } } }`,
    { input: { name: 'Welcome', trigger: 'member.joined', steps, ...more } },
  ] as const

export const createWorkflow = async (
  by: Person,
  steps: Steps,
  more: Record<string, unknown> = {},
): Promise<any> => (await by.ask(...defining(steps, more))).createWorkflow.workflow

export const updateWorkflow = async (by: Person, id: string, input: object): Promise<any> =>
  (
    await by.ask(
      `mutation ($id: ID!, $input: UpdateWorkflowInput!) { updateWorkflow(id: $id, input: $input) { workflow { ${WORKFLOW} } } }`,
      { id, input },
    )
  ).updateWorkflow.workflow

export const deleteWorkflow = async (by: Person, id: string): Promise<string> =>
  (await by.ask(`mutation ($id: ID!) { deleteWorkflow(id: $id) { deletedId } }`, { id }))
    .deleteWorkflow.deletedId

export const readWorkflow = async (by: Person, id: string): Promise<any> =>
  (await by.ask(`query ($id: ID!) { organisation { workflow(id: $id) { ${WORKFLOW} } } }`, { id }))
    .organisation.workflow

export const runsOf = async (by: Person, id: string): Promise<any[]> =>
  (
    await by.ask(
      `query ($id: ID!) { organisation { workflow(id: $id) { runs(first: 100) { nodes { ${RUN} } } } } }`,
      { id },
    )
  ).organisation.workflow.runs.nodes

/** Waits until a workflow has so many runs that are over, and gives back all of them. */
export async function ended(by: Person, id: string, count = 1): Promise<any[]> {
  let runs: any[] = []
  await until(async () => {
    runs = await runsOf(by, id)
    return runs.filter(({ status }) => status !== 'RUNNING').length >= count
  })
  return runs
}

/** Waits until so many runs of the person's organisation rest before a step that is not yet due. */
export const resting = (
  { server, organisationId }: Person,
  step: number,
  count = 1,
): Promise<void> =>
  until(async () => {
    const rows = await server.database.owner(
      `select 1 from pgboss.job j join workflow_run r on r.id = (j.data ->> 'run')::uuid and r.organisation_id = $2
       where j.name = 'workflow-step' and j.state = 'created' and (j.data ->> 'step')::int = $1 and j.start_after > now()`,
      [step, organisationId],
    )
    return rows.length >= count
  })

/** Lets waits be over at once. */
export const hurry = ({ server }: Person): Promise<unknown> =>
  server.database.owner(
    `update pgboss.job set start_after = now() where name like 'workflow-step%' and state in ('created', 'retry')`,
  )

/** Waits until nothing is on its way from events to runs, or from step to step, but what waits. */
export const quiet = ({ server }: Person): Promise<void> =>
  until(async () => {
    const rows = await server.database.owner(
      `select 1 from pgboss.job where (name like 'webhook-event%' or name like 'workflow-step%')
        and state in ('created', 'retry', 'active') and start_after <= now()`,
    )
    return rows.length === 0
  })

/** What the trail tells of a topic, the newest first. */
export const trailOf = async (by: Person, topic: string): Promise<any[]> =>
  (
    await by.ask(
      `query ($topics: [String!]) { organisation { auditEvents(first: 50, filter: { topics: $topics }) { nodes {
        actor { id kind name apiKeyId } target { id kind name } changes { field before after } reason requestId userAgent } } } }`,
      { topics: [topic] },
    )
  ).organisation.auditEvents.nodes
