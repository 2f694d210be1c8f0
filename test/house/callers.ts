import { everything } from '../../src/access/permissions.ts'
import { bringWith, createKey, createRole, createServiceAccount } from '../credentials/keys.ts'
import { challenge, enrol } from '../support/authenticator.ts'
import {
  freshEmail,
  operator,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import type { TestServer } from '../support/server.ts'

/** Somebody who tries every door. */
export interface Caller {
  name: string
  /** Null for whoever has no session of their own. */
  person: Person | null
  /** What stands in the Authorization header. */
  bearer(): string | null
  /** Another session like theirs, to spend. */
  again(server: TestServer): Promise<Person | null>
}

const inSession = (name: string, person: Person, again = anotherSession): Caller => ({
  name,
  person,
  bearer: () => person.accessToken,
  again: server => again(server, person),
})
const withKey = (name: string, secret: string | null): Caller => ({
  name,
  person: null,
  bearer: () => secret,
  again: async () => null,
})

/** An account with a proven address and no membership. */
export async function createAccount(
  server: TestServer,
  admin: Person,
): Promise<{ id: string; email: string }> {
  const email = freshEmail('account')
  const [row] = await server.database.owner(
    `insert into user_account select (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid(), 'email', $1::text, 'operator', false))).*
     from user_account u where u.id = $2 returning id`,
    [email, admin.userId],
  )
  return { id: String(row!.id), email }
}

export interface Cast {
  callers: Caller[]
  admin: Person
  chief: Person
  projectAdmin: Person
  /** Administers an organisation that everybody belongs to besides. */
  elsewhere: Person
}

/** Everybody whom the matrix asks for, in one organisation unless said otherwise. */
export async function gather(server: TestServer): Promise<Cast> {
  const admin = await organisation(server)
  const neighbour = await organisation(server)
  const elsewhere = await organisation(server)
  const nothing = await bringWith(admin, [])
  const viewUser = await bringWith(admin, ['viewUser'])
  const manageUser = await bringWith(admin, ['manageUser'])
  const projectAdmin = await bringWith(admin, [])
  const stale = await admin.bring('Administrator')
  await server.database.owner(
    `update session set authenticated_at = now() - interval '1 hour' where id = $1`,
    [stale.sessionId],
  )
  const bound = await bind(server, await admin.bring('Administrator'))
  const suspended = await bringWith(admin, ['manageUser'])
  await admin.ask(`mutation ($id: ID!) { suspendMember(id: $id) { member { id } } }`, {
    id: suspended.memberId,
  })
  const landless = await signIn(server, (await createAccount(server, admin)).email)

  const machine = await createServiceAccount(admin, [])
  await admin.ask(
    `mutation ($id: ID!, $roleId: ID!) { updateServiceAccount(id: $id, input: { roleId: $roleId }) { serviceAccount { id } } }`,
    { id: machine, roleId: (await admin.roles()).Administrator },
  )
  const scopes = [...everything('ORGANISATION', []), ...everything('PROJECT', [])]
  const bare = await createKey(admin, machine, [])
  const full = await createKey(admin, machine, scopes)
  const enrolling = await organisation(server)
  await enrolling.ask(
    `mutation { updateOrganisationSettings(input: { mfaRequired: true }) { organisation { id } } }`,
  )
  const unverified = await bringWith(admin, ['manageUser'])
  await server.database.owner(
    `update user_account set email_verified_at = null, proven_at = null where id = $1`,
    [unverified.userId],
  )
  const strong = await bringWith(admin, ['manageUser'])
  await enrol(strong)
  const { token } = await challenge(server, strong.email)
  const chief = await operator(server)
  for (const person of [nothing, viewUser, manageUser, projectAdmin, admin, stale, bound])
    await joinElsewhere(elsewhere, person)
  return {
    admin,
    chief,
    projectAdmin,
    elsewhere,
    callers: [
      withKey('anonymous', null),
      inSession('nothing', nothing),
      inSession('viewUser', viewUser),
      inSession('manageUser', manageUser),
      inSession('projectAdmin', projectAdmin),
      inSession('administrator', admin),
      inSession('staleAdministrator', stale),
      inSession('boundAdministrator', bound, anotherBound),
      inSession('neighbour', neighbour),
      inSession('suspended', suspended),
      inSession('landless', landless),
      inSession('enrolling', enrolling),
      inSession('unverified', unverified),
      withKey('challenge', token),
      withKey('bareKey', bare.secret),
      withKey('fullKey', full.secret),
      inSession('operator', chief),
    ],
  }
}

/** Adds somebody with a proven account, who joins at once. */
export async function joinElsewhere(there: Person, { email }: { email: string }): Promise<string> {
  const { id: roleId } = await createRole(there, [])
  const { addMember } = await there.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } } }`,
    {
      input: { email, firstName: 'Ann', lastName: 'Lee', roleId },
    },
  )
  return addMember.member.id
}

/** Lets a session act in its own organisation alone, as one that began on a page of the organisation does. */
async function bind(server: TestServer, person: Person): Promise<Person> {
  await server.database.owner(`update session set confined_to_id = organisation_id where id = $1`, [
    person.sessionId,
  ])
  return person
}

/** The same person with another session, to spend. */
export const anotherSession = (server: TestServer, person: Person): Promise<Person> =>
  person.email === 'operator@localhost.test'
    ? operator(server)
    : signIn(server, person.email, PASSWORD, { organisationId: person.organisationId || undefined })

const anotherBound = async (server: TestServer, person: Person): Promise<Person> =>
  bind(server, await anotherSession(server, person))
