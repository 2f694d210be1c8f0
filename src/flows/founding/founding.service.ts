import { lockAccount } from '../../credentials/callers/standing.ts'
import type { Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { notify } from '../../accounts/notifications/notification.service.ts'
import { findAccounts } from '../../accounts/users/user.service.ts'
import { mustBeLetIn } from '../../credentials/sessions/entry-rules.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput, conflict, forbidden } from '../../shared/errors.ts'
import { slugOf } from '../../shared/normalise.ts'
import { newId, newToken } from '../../shared/tokens.ts'
import { createMembership } from '../../tenancy/memberships/membership.service.ts'
import { ORGANISATION_FIELDS } from '../../tenancy/organisations/organisation.loaders.ts'
import type {
  CreateOrganisationInput,
  Organisation,
} from '../../tenancy/organisations/organisation.type.ts'
import { writeOrganisationWords } from '../../tenancy/organisations/organisation-words.ts'
import { readPlatform } from '../../tenancy/policies/policy.ts'
import { readSlug, readTitle } from '../../shared/titles.ts'
import { createFirstRoles } from '../../tenancy/roles/role.service.ts'
import { createInvitations, expiryAfter } from '../invitations/invitation.service.ts'

const DEFAULT_LIFETIME_HOURS = 168

/** Founds an organisation with its four roles and its first administrator; as *system*. */
export async function createOrganisation(
  work: Work,
  viewer: Person,
  input: CreateOrganisationInput,
): Promise<Organisation> {
  const platform = await readPlatform(work.db)
  if (!viewer.operator && !platform.organisationCreationOpen)
    throw forbidden('POLICY_FORBIDS', 'Only operators found organisations on this platform.')
  if (!viewer.emailVerified) throw forbidden('POLICY_FORBIDS', 'Confirm your address first.')
  mustBeLetIn(await lockAccount(work, viewer.userId), work.now)
  const wanted = input.administratorEmail ?? viewer.email
  if (wanted !== viewer.email && !viewer.operator)
    throw forbidden('POLICY_FORBIDS', 'Only operators may name somebody else as administrator.', [
      'input',
      'administratorEmail',
    ])
  const name = readTitle(input.name, ['input', 'name'])
  const { id, administratorRoleId } = await foundOrganisation(work, name, input.slug ?? null)

  const founder = wanted === viewer.email ? viewer.userId : null
  const account = founder ? null : (await findAccounts(work, [wanted])).get(wanted)
  if (account?.emailVerifiedAt) await appoint(work, id, name, administratorRoleId, account)
  else await settleFounder(work, id, administratorRoleId, viewer.userId)
  if (!founder && !account?.emailVerifiedAt)
    await inviteAdministrator(work, viewer, { id, name, administratorRoleId, email: wanted })
  await record(work, 'organisation.created', {
    organisationId: id,
    target: { kind: 'Organisation', id, name },
  })
  const row = await firstRow<Organisation>(
    work.db,
    sql`select ${columns('o', ORGANISATION_FIELDS)} from organisation o where o.id = ${id}`,
  )
  return row!
}

/** The organisation itself and its roles. */
export async function foundOrganisation(work: Work, name: string, slug: string | null) {
  const id = newId()
  const short =
    slug === null
      ? await freeSlug(work, slugOf(name) || 'organisation')
      : readSlug(slug, ['input', 'slug'])
  await mustBeFreeSlug(work, short, null)
  await work.db.rows(sql`
    insert into organisation (id, created_at, updated_at, name, slug) values (${id}, ${work.now}, ${work.now}, ${name}, ${short})`)
  await writeOrganisationWords(work, { id, name, slug: short })
  const roles = await createFirstRoles(work, id)
  await work.db.rows(
    sql`update organisation set default_role_id = ${roles.member} where id = ${id}`,
  )
  return { id, administratorRoleId: roles.administrator }
}

/** The person who founds becomes administrator. */
export async function settleFounder(
  work: Work,
  organisationId: string,
  roleId: string,
  userId: string,
): Promise<string> {
  const person = await firstRow<{ email: string; firstName: string; lastName: string }>(
    work.db,
    sql`select email, first_name as "firstName", last_name as "lastName" from user_account where id = ${userId}`,
  )
  if (!person) throw badInput(['input'], 'REQUIRED', 'The founder has no account.')
  return createMembership(work, { organisationId, roleId, ...person, userId, enteredAt: work.now })
}

async function appoint(
  work: Work,
  organisationId: string,
  organisation: string,
  roleId: string,
  account: { id: string; email: string; firstName: string; lastName: string },
): Promise<void> {
  const { id: userId, email, firstName, lastName } = account
  await createMembership(work, { organisationId, roleId, email, firstName, lastName, userId })
  await notify(work, {
    userId,
    topic: 'member.added',
    organisationId,
    text: { template: 'addedToOrganisation', data: { organisation, inviter: null } },
  })
}

/** The founder stays administrator until the person named accepts. */
async function inviteAdministrator(
  work: Work,
  viewer: Person,
  founded: { id: string; name: string; administratorRoleId: string; email: string },
): Promise<void> {
  const founder = await firstRow<{ id: string }>(
    work.db,
    sql`select id from principal where organisation_id = ${founded.id} and user_id = ${viewer.userId}`,
  )
  const principalId = await createMembership(work, {
    organisationId: founded.id,
    roleId: founded.administratorRoleId,
    email: founded.email,
    firstName: founded.email.split('@')[0]!,
    lastName: '',
  })
  const host = {
    organisationId: founded.id,
    organisationName: founded.name,
    inviter: { principalId: founder?.id ?? null, name: viewer.name },
  }
  await createInvitations(work, host, [
    {
      principalId,
      email: founded.email,
      firstName: '',
      expiresAt: expiryAfter(work.now, DEFAULT_LIFETIME_HOURS),
      sendMail: true,
      founderId: founder?.id ?? null,
    },
  ])
}

/** A short name derived from the name, made free by a suffix where another organisation has it. */
async function freeSlug(work: Work, wish: string): Promise<string> {
  const taken = await firstRow(
    work.db,
    sql`select id from organisation where slug = ${wish} and deleted_at is null`,
  )
  return taken
    ? `${wish.slice(0, 41).replace(/-+$/, '')}-${newToken()
        .toLowerCase()
        .replace(/[^a-z0-9]/g, '')
        .slice(0, 6)}`
    : wish
}

async function mustBeFreeSlug(work: Work, slug: string, ownId: string | null): Promise<void> {
  const taken = await firstRow(
    work.db,
    sql`select id from organisation where slug = ${slug} and deleted_at is null and id is distinct from ${ownId}`,
  )
  if (taken)
    throw conflict('ALREADY_EXISTS', `Another organisation has the short name "${slug}".`, [
      'input',
      'slug',
    ])
}
