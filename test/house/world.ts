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
