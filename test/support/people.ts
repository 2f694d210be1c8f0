import type { Variables } from 'graphql-request'
import { newId } from '../../src/shared/tokens.ts'
import { ask } from './client.ts'
import { linkIn, mailsSoFar, mailsTo, tokenIn } from './mailbox.ts'
import { OPERATOR, type TestServer } from './server.ts'

export const SESSION = `accessToken refreshToken session { id tasks member { id role { name } organisation { id name } } } user { id email }`
const MEMBER = `id userId status email name firstName lastName externalId lockedAt role { id name } invitation { id status }`
export const PASSWORD = 'a password that is long enough'

let number = 0
/** An address that nobody else uses. */
export const freshEmail = (name = 'person'): string =>
  `${name}-${process.pid}-${(number += 1)}@example.com`

/** Somebody with a session, who asks through GraphQL. */
export class Person {
  readonly server: TestServer
  readonly email: string
  accessToken: string
  refreshToken: string
  sessionId: string
  userId: string
  memberId: string
  organisationId: string

  constructor(server: TestServer, signedIn: any) {
    this.server = server
    this.email = signedIn.user.email
    this.userId = signedIn.user.id
    this.accessToken = ''
    this.refreshToken = ''
    this.sessionId = ''
    this.memberId = ''
    this.organisationId = ''
    this.take(signedIn)
  }

  /** Goes on with renewed tokens. */
  take(signedIn: any): this {
    this.accessToken = signedIn.accessToken
    this.refreshToken = signedIn.refreshToken
    this.sessionId = signedIn.session.id
    this.memberId = signedIn.session.member?.id ?? ''
    this.organisationId = signedIn.session.member?.organisation.id ?? ''
    return this
  }

  ask<Data = any>(
    document: string,
    variables: Variables = {},
    url = this.server.url,
  ): Promise<Data> {
    return ask<Data>(url, document, variables, { authorization: `Bearer ${this.accessToken}` })
  }

  async switchTo(organisationId: string): Promise<this> {
    const { switchOrganisation } = await this.ask(
      `mutation ($id: ID!) { switchOrganisation(id: $id) { ${SESSION} } }`,
      { id: organisationId },
    )
    return this.take(switchOrganisation)
  }

  /** Ids of the organisation's roles by name. */
  async roles(): Promise<Record<string, string>> {
    const { organisation: own } = await this.ask(
      `{ organisation { roles(first: 100) { nodes { id name } } } }`,
    )
    return Object.fromEntries(
      own.roles.nodes.map((role: { id: string; name: string }) => [role.name, role.id]),
    )
  }

  /** Makes a role, whatever the person may: past every rule. */
  async role(
    name: string,
    permissions: string[],
    more: { level?: string; visibility?: string } = {},
  ): Promise<string> {
    const { level = 'ORGANISATION', visibility = 'ORGANISATION' } = more
    const id = newId()
    await this.server.database.owner(
      `insert into role (id, created_at, updated_at, organisation_id, name, sort_name, level, permissions, visibility)
       values ($1, now(), now(), $2, $3, lower($3), $4, $5::text[], $6)`,
      [id, this.organisationId, name, level, permissions, visibility],
    )
    return id
  }

  /** Adds somebody, who has yet to accept where the account is not proven. */
  async add(input: Record<string, unknown> = {}): Promise<any> {
    const { addMember } = await this.ask(
      `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { ${MEMBER} } invitationUrl } }`,
      { input: { email: freshEmail(), firstName: 'Ann', lastName: 'Lee', ...input } },
    )
    return addMember
  }

  /** Adds somebody and lets them accept by the mailed link. */
  async bring(role = 'Member', email = freshEmail()): Promise<Person> {
    await this.add({ email, roleId: (await this.roles())[role] })
    return accept(this.server, await mailedToken(this.server, email))
  }
}

/** The token in the newest mail for an address. */
export const mailedToken = async (server: TestServer, email: string, count = 1): Promise<string> =>
  tokenIn(linkIn((await mailsTo(server, email, count))[0]!))

/** Somebody invited by mail, and the token of their link. */
export async function invite(by: Person, input: Record<string, unknown> = {}) {
  const email = (input.email as string | undefined) ?? freshEmail()
  const before = await mailsSoFar(by.server, email)
  const { member } = await by.add({ email, ...input })
  const token = await mailedToken(by.server, email, before.length + 1)
  return { email, memberId: member.id as string, id: member.invitation.id as string, token }
}

export async function signIn(
  server: TestServer,
  email: string,
  password = PASSWORD,
  more: Record<string, unknown> = {},
): Promise<Person> {
  const { signIn: signedIn } = await ask(
    server.url,
    `mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { ${SESSION} } } }`,
    { input: { email, password, ...more } },
  )
  return new Person(server, signedIn)
}

export const operator = (server: TestServer): Promise<Person> =>
  signIn(server, OPERATOR.email, OPERATOR.password)

/** Accepts an invitation as a newcomer. */
export async function accept(
  server: TestServer,
  token: string,
  name = { firstName: 'Ann', lastName: 'Lee' },
): Promise<Person> {
  const { acceptInvitation } = await ask(
    server.url,
    `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { signIn { ${SESSION} } } }`,
    { input: { token, newAccount: { ...name, password: PASSWORD } } },
  )
  return new Person(server, acceptInvitation.signIn)
}

/** A new organisation with its administrator, who is nobody else's member. */
export async function organisation(
  server: TestServer,
  email = freshEmail('admin'),
): Promise<Person> {
  const founder = await operator(server)
  await founder.ask(
    `mutation ($input: CreateOrganisationInput!) { createOrganisation(input: $input) { organisation { id } } }`,
    { input: { name: `Organisation ${email.split('@')[0]}`, administratorEmail: email } },
  )
  return accept(server, await mailedToken(server, email))
}

/** Somebody added without a mail who has accepted and counts as proven, for tests that are about something else. */
export async function newcomer(admin: Person, more: Record<string, unknown> = {}): Promise<Person> {
  const { addMember } = await admin.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { invitationUrl } }`,
    {
      input: {
        email: freshEmail(),
        firstName: 'Ann',
        lastName: 'Lee',
        sendInvitation: false,
        ...more,
      },
    },
  )
  const person = await accept(admin.server, tokenIn(addMember.invitationUrl))
  await admin.server.database.owner(
    `update user_account set email_verified_at = now(), proven_at = now() where id = $1`,
    [person.userId],
  )
  return person
}
