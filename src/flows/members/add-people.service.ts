import { inSession, must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { notifyAll } from '../../accounts/notifications/notification.service.ts'
import {
  findAccounts,
  fullName,
  readName,
  type Account,
} from '../../accounts/users/user.service.ts'
import { SYSTEM } from '../../database/context.ts'
import { sql } from '../../database/sql.ts'
import { recordAll } from '../../outbox/events/event.service.ts'
import { badInput, conflict, forbidden, type Path } from '../../shared/errors.ts'
import { singleLine } from '../../shared/normalise.ts'
import { attempt, doneOf, only, type Outcome } from '../../shared/outcome.ts'
import { readExternalId, readMembers } from '../../tenancy/memberships/member.service.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import { createMemberships, liftBars } from '../../tenancy/memberships/membership.service.ts'
import { inDomains } from '../../tenancy/policies/domains.ts'
import {
  findPlaces,
  grantPlaces,
  type Place,
} from '../../tenancy/projects/project-access.service.ts'
import { findAssignableRoles } from '../../tenancy/roles/role.service.ts'
import {
  createInvitations,
  expiryAfter,
  getOrganisation,
  hostOf,
} from '../invitations/invitation.service.ts'
import type { AddMemberInput, InviteMemberInput } from './members.type.ts'
import { readMessage } from './reason.ts'

/** A person to bring in, and where they stand in the input. */
export type Newcomer =
  | { how: 'ADD'; input: AddMemberInput; path: Path }
  | { how: 'INVITE'; input: InviteMemberInput; path: Path }

export interface Added {
  member: Member
  /** The link, where no mail was asked for and an account has yet to be set up. */
  invitationUrl: string | null
}

interface Planned {
  email: string
  firstName: string
  lastName: string
  roleId: string
  roleName: string
  externalId: string | null
  places: Place[]
  /** Joins at once. */
  account: Account | null
  invitation: { message: string | null; expiresAt: Date; sendMail: boolean; locale?: string }
}

const HOUR_MS = 3_600_000
const LONGEST_LIFETIME_MS = 90 * 24 * HOUR_MS

/**
 * Adds a person to the organisation in use, or asks them to join.
 *
 * @throws {AppError} `CONFLICT` / `ALREADY_EXISTS` where the address or the external id is taken here.
 */
export const addPerson = async (work: Work, newcomer: Newcomer): Promise<Added> =>
  only(await addPeople(work, [newcomer]))

/**
 * Brings several people in, each under the rules of one alone. Of those who are added, a login that was proven joins at
 * once and is told by mail; anybody else is invited, and nothing counts until they accept. Who is invited always has to
 * accept. Nothing else about an account shows in the answer.
 */
export async function addPeople(work: Work, newcomers: Newcomer[]): Promise<Outcome<Added>[]> {
  const viewer = must(work.viewer, 'manageUser')
  const organisation = await getOrganisation(work, viewer)
  const facts = await readFacts(work, viewer, newcomers, organisation.defaultRoleId)
  const planned = newcomers.map(newcomer =>
    attempt(() => plan(work, viewer, organisation, facts, newcomer)),
  )
  const sound = doneOf(planned)
  if (!sound.length) return planned as Outcome<never>[]
  const ids = await createMemberships(
    work,
    viewer.organisationId,
    sound.map(({ account, ...person }) => ({ ...person, userId: account?.id ?? null })),
  )
  const joined = sound.flatMap(({ account }) => account?.id ?? [])
  if (joined.length) await liftBars(work, viewer.organisationId, joined)
  await recordAll(
    work,
    sound.map((person, index) => ({
      topic: 'member.added',
      organisationId: viewer.organisationId,
      target: { kind: 'Member', id: ids[index]!, name: fullName(person) },
      changes: [{ field: 'role', before: null, after: person.roleName }],
    })),
  )
  await grantPlaces(
    work,
    viewer.organisationId,
    sound.flatMap(({ places, ...person }, index) =>
      places.map(place => ({ ...place, principal: { id: ids[index]!, name: fullName(person) } })),
    ),
  )
  const urls = await tell(work, viewer, organisation.name, sound, ids)
  // whoever sees few members is shown whom they have just brought in
  const members = await work.as(SYSTEM, () => readMembers(work, ids))
  let next = 0
  return planned.map(each => {
    if ('refusal' in each) return each
    const id = ids[next++]!
    return { done: { member: members.get(id)!, invitationUrl: urls.get(id) ?? null } }
  })
}

type Organisation = Awaited<ReturnType<typeof getOrganisation>>
type Facts = Awaited<ReturnType<typeof readFacts>>

/** All that deciding takes, in as many statements for one as for many. */
async function readFacts(
  work: Work,
  viewer: TenantViewer,
  newcomers: Newcomer[],
  defaultRoleId: string,
) {
  const inputs = newcomers.map(({ input }) => input)
  const emails = inputs.map(({ email }) => email)
  const externalIds = inputs.flatMap(({ externalId }) => singleLine(externalId ?? '') || [])
  const roleOf = await findAssignableRoles(
    work,
    viewer,
    inputs.map(({ roleId }) => roleId ?? defaultRoleId),
  )
  const placesOf = await findPlaces(
    work,
    viewer,
    inputs.flatMap(({ projectAccess }) => projectAccess ?? []),
  )
  return work.as(SYSTEM, async () => {
    // a courtesy: the unique indexes are the rule; they know of hidden members too
    const there = await work.db.rows<{ email: string; externalId: string | null }>(sql`
      select email, external_id as "externalId" from principal where organisation_id = ${viewer.organisationId}
        and removed_at is null and email = any(${emails}::text[])
      union all
      select email, external_id as "externalId" from principal where organisation_id = ${viewer.organisationId}
        and removed_at is null and external_id = any(${externalIds}::text[])`)
    return {
      roleOf,
      placesOf,
      accounts: await findAccounts(work, emails),
      takenEmails: new Set(there.map(({ email }) => email)),
      takenIds: new Set(there.flatMap(({ externalId }) => externalId ?? [])),
    }
  })
}

function plan(
  work: Work,
  viewer: TenantViewer,
  organisation: Organisation,
  facts: Facts,
  { how, input, path }: Newcomer,
): Planned {
  const { email } = input
  if (how === 'ADD' && !input.sendInvitation) inSession(viewer)
  const names = readName(
    { firstName: input.firstName ?? email.split('@')[0]!, lastName: input.lastName ?? '' },
    path,
  )
  const externalId = readExternalId(input.externalId, [...path, 'externalId']) ?? null
  const invitation = readInvitation(work, organisation, { how, input, path } as Newcomer)
  if (!inDomains(email, organisation.allowedEmailDomains))
    throw forbidden(
      'POLICY_FORBIDS',
      'The organisation allows people of certain mail domains only.',
      [...path, 'email'],
    )
  const roleId = input.roleId ?? organisation.defaultRoleId
  const role = facts.roleOf(roleId, 'ORGANISATION', null, [...path, 'roleId'])
  const places = facts.placesOf(input.projectAccess ?? [], [...path, 'projectAccess'])
  if (facts.takenEmails.has(email))
    throw conflict('ALREADY_EXISTS', 'This address belongs to the organisation already.', [
      ...path,
      'email',
    ])
  if (externalId && facts.takenIds.has(externalId))
    throw conflict('ALREADY_EXISTS', 'Another member has this external id.', [
      ...path,
      'externalId',
    ])
  facts.takenEmails.add(email)
  if (externalId) facts.takenIds.add(externalId)
  const known = facts.accounts.get(email)
  const proven = known?.emailVerifiedAt ? known : null
  return {
    email,
    ...names,
    roleId: role.id,
    roleName: role.name,
    externalId,
    places,
    account: how === 'ADD' ? proven : null,
    invitation: { ...invitation, ...(proven && { locale: proven.locale }) },
  }
}

function readInvitation(work: Work, organisation: Organisation, { how, input, path }: Newcomer) {
  const expiresAt = expiryAfter(work.now, organisation.lifetime)
  if (how === 'ADD') return { message: null, expiresAt, sendMail: input.sendInvitation }
  const message = readMessage(input.message ?? null, [...path, 'message'])
  if (!input.expiresAt) return { message, expiresAt, sendMail: true }
  const lifetime = input.expiresAt.getTime() - work.now.getTime()
  if (lifetime < HOUR_MS || lifetime > LONGEST_LIFETIME_MS)
    throw badInput(
      [...path, 'expiresAt'],
      'OUT_OF_RANGE',
      'An invitation lives between an hour and 90 days.',
    )
  return { message, expiresAt: input.expiresAt, sendMail: true }
}

/** Tells those who joined, and invites the others; answers the links that were not mailed, by member. */
async function tell(
  work: Work,
  viewer: TenantViewer,
  organisation: string,
  people: Planned[],
  ids: string[],
): Promise<Map<string, string | null>> {
  await notifyAll(
    work,
    people.flatMap(({ account }) =>
      account
        ? {
            userId: account.id,
            topic: 'member.added' as const,
            organisationId: viewer.organisationId,
            text: {
              template: 'addedToOrganisation' as const,
              data: { organisation, inviter: viewer.name },
            },
          }
        : [],
    ),
  )
  const invited = people.flatMap(({ account, email, firstName, invitation }, index) =>
    account ? [] : [{ email, firstName, ...invitation, principalId: ids[index]! }],
  )
  const urls = await createInvitations(work, hostOf(viewer, organisation), invited)
  return new Map(invited.map(({ principalId }, index) => [principalId, urls[index] ?? null]))
}
