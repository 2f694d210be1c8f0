import type { Person } from '../support/people.ts'

// What tests about access reviews do all the time, as a client would.

const REVIEW = `id name status dueAt completedAt undecidedCount startedBy { id } organisation { id }`
const ITEM = `id principal { id name } role { id name } project { id name } flags decision decidedBy { id } decidedAt note`

export interface Item {
  id: string
  principal: { id: string; name: string }
  role: { id: string; name: string }
  project: { id: string; name: string } | null
  flags: string[]
  decision: string | null
  decidedBy: { id: string } | null
  decidedAt: string | null
  note: string | null
}

/** Some days from now, which may lie in the past. */
export const inDays = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString()

export async function start(by: Person, input: Record<string, unknown> = {}): Promise<any> {
  const { startAccessReview } = await by.ask(
    `mutation ($input: StartAccessReviewInput!) { startAccessReview(input: $input) { accessReview { ${REVIEW} } } }`,
    { input: { name: 'Autumn', dueAt: inDays(30), ...input } },
  )
  return startAccessReview.accessReview
}

export const readReview = async (by: Person, id: string): Promise<any> =>
  (
    await by.ask(`query ($id: ID!) { organisation { accessReview(id: $id) { ${REVIEW} } } }`, {
      id,
    })
  ).organisation.accessReview

export async function itemsOf(by: Person, id: string, filter: object = {}): Promise<Item[]> {
  const { organisation } = await by.ask(
    `query ($id: ID!, $filter: AccessReviewItemFilter) { organisation { accessReview(id: $id) {
      items(first: 100, filter: $filter) { nodes { ${ITEM} } } } } }`,
    { id, filter },
  )
  return organisation.accessReview.items.nodes
}

/** The item about somebody: on the organisation, or in a project. */
export async function itemOf(
  by: Person,
  review: string,
  principal: string,
  project: string | null = null,
): Promise<Item> {
  const items = await itemsOf(by, review)
  const item = items.find(
    each => each.principal.id === principal && (each.project?.id ?? null) === project,
  )
  if (!item) throw new Error('there is no such item')
  return item
}

export interface Decision {
  itemId: string
  decision: 'KEEP' | 'REMOVE'
  note?: string | null
}

export async function decide(by: Person, decisions: Decision[]): Promise<any> {
  const { decideAccessReviewItems } = await by.ask(
    `mutation ($decisions: [AccessReviewDecisionInput!]!) { decideAccessReviewItems(decisions: $decisions) { accessReview { ${REVIEW} } } }`,
    { decisions },
  )
  return decideAccessReviewItems.accessReview
}

/** Decides that somebody is to lose an access. */
export async function condemn(
  by: Person,
  review: string,
  principal: string,
  project: string | null = null,
): Promise<string> {
  const { id } = await itemOf(by, review, principal, project)
  await decide(by, [{ itemId: id, decision: 'REMOVE' }])
  return id
}

const close = (field: string) => async (by: Person, id: string) =>
  (
    await by.ask(`mutation ($id: ID!) { ${field}(id: $id) { accessReview { ${REVIEW} } } }`, {
      id,
    })
  )[field].accessReview

export const complete = close('completeAccessReview')
export const cancel = close('cancelAccessReview')

/** The newest event of a topic. */
export async function newestEvent(by: Person, topic: string): Promise<any> {
  const { organisation } = await by.ask(
    `query ($topics: [String!]) { organisation { auditEvents(first: 1, filter: { topics: $topics }) { nodes {
      topic { name category } actor { id } target { id kind name } changes { field before after } reason } } } }`,
    { topics: [topic] },
  )
  return organisation.auditEvents.nodes[0]
}
