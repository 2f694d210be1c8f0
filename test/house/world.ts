import {
  createKey,
  createProject,
  createRole,
  createServiceAccount,
  grant,
} from '../credentials/keys.ts'
import { enrol } from '../support/authenticator.ts'
import { freshEmail, type Person } from '../support/people.ts'
import type { Kind } from './fields.ts'

export type Targets = Record<Exclude<Kind, 'principal' | 'anything'>, string>

/** One thing of each kind in an organisation, for others to reach for. */
export async function furnish(admin: Person): Promise<Targets> {
  const { id: role } = await createRole(admin, [])
  const { id: projectRole } = await createRole(admin, [], { level: 'PROJECT' })
  const member = await admin.bring()
  const serviceAccount = await createServiceAccount(admin, [])
  const project = await createProject(admin)
  const projectAccess = await grant(admin, member.memberId, project, projectRole)
  const { id: apiKey } = await createKey(admin, serviceAccount, [])
  const factor = (await enrol(member)).app.id
  return {
    organisation: admin.organisationId,
    user: member.userId,
    member: member.memberId,
    session: member.sessionId,
    serviceAccount,
    role,
    projectRole,
    project,
    projectAccess,
    apiKey,
    factor,
    notification: await newestNotice(member),
    upload: await announceImage(member),
    invitation: await invite(admin),
    ...(await hook(admin)),
    ...(await review(admin)),
    workflow: await flow(admin),
  }
}

const newestNotice = async (of: Person): Promise<string> =>
  (await of.ask(`{ me { notifications(first: 1) { nodes { id } } } }`)).me.notifications.nodes[0].id

const announceImage = async (by: Person): Promise<string> =>
  (
    await by.ask(
      `mutation { createAvatarUpload(input: { contentType: "image/png", size: 1000 }) { id } }`,
    )
  ).createAvatarUpload.id

/** A webhook, and a delivery that has ended, so that nothing changes by itself. */
export async function hook(admin: Person): Promise<{ webhook: string; delivery: string }> {
  const { createWebhook } = await admin.ask(
    `mutation { createWebhook(input: { url: "https://receiver.invalid/", topics: ["webhook.switched_off"] }) { webhook { id } } }`,
  )
  const webhook: string = createWebhook.webhook.id
  const { testWebhook } = await admin.ask(
    `mutation ($id: ID!) { testWebhook(id: $id) { webhookDelivery { id } } }`,
    { id: webhook },
  )
  const delivery: string = testWebhook.webhookDelivery.id
  await admin.server.database.owner(`update webhook_delivery set status = 'FAILED' where id = $1`, [
    delivery,
  ])
  return { webhook, delivery }
}

/** An open access review, and an item of it that is not about whoever asked for it. */
export async function review(
  admin: Person,
): Promise<{ accessReview: string; accessReviewItem: string }> {
  const { startAccessReview } = await admin.ask(
    `mutation ($dueAt: DateTime!) { startAccessReview(input: { name: "Review", dueAt: $dueAt }) {
      accessReview { id items(first: 100) { nodes { id principal { id ... on Member { email } } } } } } }`,
    { dueAt: new Date(Date.now() + 86_400_000).toISOString() },
  )
  const { id, items } = startAccessReview.accessReview
  const other = items.nodes.find((item: any) => item.principal.id !== admin.memberId)
  return { accessReview: id, accessReviewItem: other.id }
}

/** A workflow that nothing sets off. */
export const flow = async (admin: Person): Promise<string> =>
  (
    await admin.ask(
      `mutation { createWorkflow(input: { name: "Flow", trigger: "webhook.switched_off", steps: [{ wait: { minutes: 5 } }] }) {
        workflow { id } } }`,
    )
  ).createWorkflow.workflow.id

/** An invitation that waits for its answer. */
export async function invite(admin: Person): Promise<string> {
  const { addMember } = await admin.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { invitation { id } } } }`,
    {
      input: {
        email: freshEmail('invited'),
        firstName: 'Ann',
        lastName: 'Lee',
        sendInvitation: false,
      },
    },
  )
  return addMember.member.invitation.id
}

/** Ids that fit an argument of a kind. */
export function candidates(targets: Targets, kind: Kind): string[] {
  if (kind === 'anything') return Object.values(targets)
  if (kind === 'principal') return [targets.member, targets.serviceAccount]
  return [targets[kind]]
}
