import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { invite, newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  act,
  addMember,
  admit,
  createProject,
  createRole,
  grant,
  updateMember,
  updateRole,
} from './verbs.ts'

// Each of these would wait for the other for ever, if they locked in different orders; the database then lets one fail.

let server: TestServer
let beside: TestServer
let admin: Person
let other: Person

beforeAll(async () => {
  server = await startServer()
  beside = await startServer({ beside: server })
  admin = await organisation(server)
  other = await organisation(server)
})
afterAll(async () => {
  await beside.stop()
  await server.stop()
})

const ROUNDS = 12
const urls = () => [server.url, beside.url] as const
const somewhere = (person: Person, round: number): Person =>
  Object.assign(Object.create(person) as Person, {
    ask: (document: string, variables = {}) => person.ask(document, variables, urls()[round % 2]),
  })

/** What failed for another reason than a rule. */
async function failures(acts: Promise<unknown>[]): Promise<string[]> {
  const outcomes = await Promise.allSettled(acts)
  return outcomes.flatMap(each =>
    each.status === 'rejected' &&
    !['NOT_FOUND', 'CONFLICT', 'BAD_USER_INPUT', 'UNAUTHENTICATED'].includes(each.reason.code)
      ? [String(each.reason)]
      : [],
  )
}

test('sign-ins, switches and renamings of one person at once all come to an end', async () => {
  const person = await newcomer(admin)
  for (const shared of [false, true]) {
    if (shared) await admit(other, person)
    for (let burst = 0; burst < 4; burst += 1) {
      await server.database.owner(`delete from attempt`)
      const away = await signIn(server, person.email)
      const acts: Promise<unknown>[] = []
      for (let round = 0; round < 4; round += 1) {
        const at = somewhere(admin, round)
        acts.push(updateMember(at, person.memberId, { firstName: `Ann ${burst} ${round}` }))
        acts.push(signIn(round % 2 ? server : beside, person.email))
        acts.push(
          act(somewhere(away, round), 'switchOrganisation', admin.organisationId, 'accessToken'),
        )
        acts.push(updateMember(at, person.memberId, { lastName: `Lee ${burst} ${round}` }))
      }
      expect(await failures(acts)).toEqual([])
    }
  }
})

test('an invitation that is accepted, sent again, withdrawn and whose member is removed at once', async () => {
  for (let round = 0; round < 6; round += 1) {
    const guest = await invite(admin)
    const document = `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { member { id } } }`
    const newAccount = {
      firstName: 'Ann',
      lastName: 'Lee',
      password: 'a password that is long enough',
    }
    const accept = (url: string) =>
      ask(url, document, { input: { token: guest.token, newAccount } })
    const acts = [
      ...urls().map(accept),
      act(somewhere(admin, round), 'resendInvitation', guest.id),
      act(somewhere(admin, round + 1), 'revokeInvitation', guest.id),
      act(somewhere(admin, round), 'removeMember', guest.memberId),
      ask(beside.url, `mutation ($t: String!) { declineInvitation(token: $t) { email } }`, {
        t: guest.token,
      }),
    ]
    expect(await failures(acts)).toEqual([])
  }
})

test('additions while the role they hand out is changed, and places while their holders are removed', async () => {
  const role = await createRole(admin, ['viewUser'])
  const project = await createProject(admin)
  const { Viewer } = await admin.roles()
  const acts: Promise<unknown>[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    acts.push(addMember(somewhere(admin, round), { roleId: role.id }))
    acts.push(updateRole(somewhere(admin, round + 1), role.id, { description: `Round ${round}` }))
  }
  expect(await failures(acts)).toEqual([])
  for (let round = 0; round < 6; round += 1) {
    const person = await newcomer(admin)
    const { id } = await grant(admin, person.memberId, project.id, Viewer!)
    expect(
      await failures([
        act(somewhere(admin, round), 'revokeProjectAccess', id),
        act(somewhere(admin, round + 1), 'removeMember', person.memberId),
        grant(somewhere(admin, round), person.memberId, project.id, Viewer!),
      ]),
    ).toEqual([])
  }
})
