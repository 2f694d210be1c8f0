import { inSession, must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns, toDate } from '../../database/columns.ts'
import { firstRow, sql, type Sql } from '../../database/sql.ts'
import { record, recordAll } from '../../outbox/events/event.service.ts'
import { queueMails } from '../../outbox/mail/mail.service.ts'
import { conflict, forbidden, notFound } from '../../shared/errors.ts'
import { digest, newId, newToken } from '../../shared/tokens.ts'
import { getManagedMember } from '../../tenancy/memberships/member.service.ts'
import { endMembership } from '../../tenancy/memberships/membership.service.ts'
import { INVITATION_FIELDS } from './invitation.loaders.ts'
import { mayOffer } from './offer.service.ts'
import type { Invitation } from './invitation.type.ts'

const HOUR_MS = 3_600_000

export interface Offer {
  principalId: string
  email: string
  firstName: string
  /** Personal words for the mail. */
  message?: string | null
  /** Of whom the address already is; English for everybody else. */
  locale?: string
  expiresAt: Date
  /** False hands the link to the caller instead of mailing it. */
  sendMail: boolean
  /** Who founded the organisation for this person, and leaves when they arrive. */
  founderId?: string | null
}

/** Where somebody is invited to, and by whom. */
export interface Host {
  organisationId: string
  organisationName: string
  inviter: { principalId: string | null; name: string | null }
}

/** When a link made now runs out. */
export const expiryAfter = (now: Date, hours: number): Date =>
  new Date(now.getTime() + hours * HOUR_MS)

const linkTo = (work: Work, token: string) =>
  `${work.server.config.PUBLIC_URL}/accept-invitation?token=${token}`

/**
 * Writes invitations and mails their links, or returns them. A row keeps the token's digest; the token itself travels
 * in the sealed mail or in the answer, and nowhere else.
 *
 * @returns the links that were not mailed, null for the others, in the same order.
 */
export async function createInvitations(
  work: Work,
  host: Host,
  offers: Offer[],
): Promise<(string | null)[]> {
  if (!offers.length) return []
  const made = offers.map(offer => ({ ...offer, id: newId(), token: newToken() }))
  const rows = made.map(offer => ({
    id: offer.id,
    principal_id: offer.principalId,
    email: offer.email,
    token_digest: digest(offer.token),
    mailed: offer.sendMail,
    message: offer.message ?? null,
    founder_id: offer.founderId ?? null,
    sent_at: offer.sendMail ? work.now : null,
    expires_at: offer.expiresAt,
  }))
  await work.db.rows(sql`
    insert into invitation (id, created_at, organisation_id, principal_id, email, token_digest, mailed, inviter_id,
      message, founder_id, sent_at, expires_at)
    select id, ${work.now}::timestamptz, ${host.organisationId}::uuid, principal_id, email, token_digest, mailed,
      ${host.inviter.principalId}::uuid, message, founder_id, sent_at, expires_at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n (id uuid, principal_id uuid, email text,
      token_digest text, mailed boolean, message text, founder_id uuid, sent_at timestamptz, expires_at timestamptz)`)
  return deliver(work, host, made)
}

async function deliver(
  work: Work,
  host: Host,
  offers: (Offer & { id: string; token: string })[],
): Promise<(string | null)[]> {
  await queueMails(
    work,
    offers
      .filter(offer => offer.sendMail)
      .map(offer => ({
        to: offer.email,
        ...(offer.locale && { locale: offer.locale }),
        expiresAt: offer.expiresAt,
        mail: {
          template: 'invitation',
          data: {
            organisation: host.organisationName,
            inviter: host.inviter.name,
            firstName: offer.firstName,
            message: offer.message ?? null,
            url: linkTo(work, offer.token),
            expiresAt: offer.expiresAt.toISOString(),
          },
        },
      })),
  )
  await recordAll(
    work,
    offers.map(({ id, email, sendMail }) => ({
      topic: 'invitation.sent',
      organisationId: host.organisationId,
      target: { kind: 'Invitation', id, name: email },
      changes: [{ field: 'mailed', before: null, after: String(sendMail) }],
    })),
  )
  return offers.map(offer => (offer.sendMail ? null : linkTo(work, offer.token)))
}

/**
 * Issues a new link; the old one stops working. Whoever resends becomes the inviter: they must be able to hand out the
 * role and every place in a project, and their own permissions are what acceptance is held against. Who founded the
 * organisation for the person stays who it was.
 */
export async function resendInvitation(
  work: Work,
  id: string,
  sendMail: boolean,
): Promise<{ invitation: Invitation; invitationUrl: string | null }> {
  const viewer = must(work.viewer, 'manageUser')
  if (!sendMail) inSession(viewer)
  const { invitation, firstName } = await getOpenInvitation(work, viewer, id)
  if (!(await mayOffer(work, viewer, invitation.principalId, true)))
    throw forbidden('EXCEEDS_OWN_PERMISSIONS', 'This invitation offers more than you hold.')
  const organisation = await getOrganisation(work, viewer)
  const token = newToken()
  const expiresAt = expiryAfter(work.now, organisation.lifetime)
  await work.db.rows(sql`
    update invitation set token_digest = ${digest(token)}, mailed = ${sendMail}, expires_at = ${expiresAt},
      inviter_id = ${viewer.principalId}, sent_at = case when ${sendMail} then ${work.now} else sent_at end
    where id = ${id}`)
  const [url] = await deliver(work, hostOf(viewer, organisation.name), [
    { ...invitation, firstName, expiresAt, sendMail, id, token },
  ])
  return { invitation: await readInvitation(work, id), invitationUrl: url ?? null }
}

/** Whoever asks now invites to the organisation in use. */
export const hostOf = (viewer: TenantViewer, organisationName: string): Host => ({
  organisationId: viewer.organisationId,
  organisationName,
  inviter: { principalId: viewer.principalId, name: viewer.name },
})

/** Withdraws an invitation and the membership that waited for it. */
export async function revokeInvitation(work: Work, id: string): Promise<Invitation> {
  const viewer = must(work.viewer, 'manageUser')
  const { invitation } = await getOpenInvitation(work, viewer, id)
  await closeInvitation(work, id, 'REVOKED')
  await endMembership(work, invitation.principalId)
  await record(work, 'invitation.revoked', {
    organisationId: viewer.organisationId,
    target: { kind: 'Invitation', id, name: invitation.email },
  })
  return readInvitation(work, id)
}

/** Closes an invitation once; false where it was closed already. */
export async function closeInvitation(
  work: Work,
  id: string,
  outcome: 'ACCEPTED' | 'DECLINED' | 'REVOKED',
): Promise<boolean> {
  const closed = await work.db.rows(sql`
    update invitation set closed_at = ${work.now}, outcome = ${outcome} where id = ${id} and closed_at is null returning id`)
  return closed.length > 0
}

/** Closes whatever invitations of some members are still open. */
export const closeInvitationsOf = (work: Work, principalIds: string[]) =>
  work.db.rows(sql`
    update invitation set closed_at = ${work.now}, outcome = 'REVOKED'
    where principal_id = any(${principalIds}::uuid[]) and closed_at is null`)

/** The member is locked before the invitation, as everywhere. */
async function getOpenInvitation(work: Work, viewer: TenantViewer, id: string) {
  const read = (lock: Sql) =>
    firstRow<Invitation>(
      work.db,
      sql`select ${columns('i', INVITATION_FIELDS)} from invitation i
        where i.id = ${id} and i.organisation_id = ${viewer.organisationId} ${lock}`,
    )
  const known = await read(sql``)
  if (!known) throw notFound('invitation')
  mustBeOpen(known)
  const member = await getManagedMember(work, viewer, known.principalId)
  const invitation = await read(sql`for update`)
  if (!invitation) throw notFound('invitation')
  mustBeOpen(invitation)
  return { invitation, firstName: member.firstName, roleId: member.roleId }
}

function mustBeOpen(invitation: Invitation): void {
  if (invitation.closedAt)
    throw conflict('STATE_MISMATCH', 'This invitation was answered or withdrawn already.')
}

async function readInvitation(work: Work, id: string): Promise<Invitation> {
  const invitation = await firstRow<Invitation>(
    work.db,
    sql`select ${columns('i', INVITATION_FIELDS)} from invitation i where i.id = ${id}`,
  )
  if (!invitation) throw notFound('invitation')
  return invitation
}

export async function getOrganisation(work: Work, viewer: TenantViewer) {
  const row = await firstRow<{
    name: string
    lifetime: number
    allowedEmailDomains: string[]
    defaultRoleId: string
  }>(
    work.db,
    sql`select name, invitation_lifetime_hours as lifetime, allowed_email_domains as "allowedEmailDomains",
      default_role_id as "defaultRoleId" from organisation where id = ${viewer.organisationId}`,
  )
  if (!row) throw notFound('organisation')
  return row
}

/** An invitation by its link, as *system*; null for a link that is wrong, spent, replaced, withdrawn or too old. */
export async function findByToken(
  queries: Pick<Work, 'db' | 'now'>,
  token: string,
  lock = false,
): Promise<LinkedInvitation | null> {
  const found = await firstRow<LinkedInvitation>(
    queries.db,
    sql`select ${columns('i', INVITATION_FIELDS)}, i.founder_id as "founderId", i.mailed,
        o.name as "organisationName", inviter.name as "inviterName"
      from invitation i
      join organisation o on o.id = i.organisation_id and o.deleted_at is null and o.suspended_at is null
      left join principal inviter on inviter.id = i.inviter_id
      where i.token_digest = ${digest(token)} and i.closed_at is null ${lock ? sql`for update of i` : sql``}`,
  )
  return found && toDate(found.expiresAt) > queries.now ? found : null
}

/**
 * The same with all that an answer changes locked: the account that the address has, then the members, then the
 * invitation. Of any number of answers one thus finds it open.
 */
export async function lockByToken(work: Work, token: string): Promise<LinkedInvitation | null> {
  const known = await findByToken(work, token)
  if (!known) return null
  await work.db.rows(
    sql`select id from user_account where email = ${known.email} and deleted_at is null for no key update`,
  )
  await work.db.rows(sql`
    select id from principal where id = any(${[known.principalId, known.founderId]}::uuid[]) order by id for no key update`)
  return findByToken(work, token, true)
}

export interface LinkedInvitation extends Invitation {
  /** Who founded the organisation for this person, and leaves when they arrive. */
  founderId: string | null
  mailed: boolean
  organisationName: string
  inviterName: string | null
}
