import type { Variables } from 'graphql-request'
import { ask } from './client.ts'
import { linkIn, mailsTo, tokenIn } from './mailbox.ts'
import { OPERATOR, type TestServer } from './server.ts'

const SESSION = `accessToken refreshToken session { id tasks member { id role { name } organisation { id name } } } user { id email }`
export const PASSWORD = 'a password that is long enough'

let number = 0
/** An address that nobody else uses. */
export const freshEmail = (name = 'person'): string => `${name}-${process.pid}-${(number += 1)}@example.com`

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

  // oxlint-disable-next-line typescript/no-explicit-any -- an answer
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
  // oxlint-disable-next-line typescript/no-explicit-any -- an answer
  take(signedIn: any): this {
    this.accessToken = signedIn.accessToken
    this.refreshToken = signedIn.refreshToken
    this.sessionId = signedIn.session.id
    this.memberId = signedIn.session.member?.id ?? ''
    this.organisationId = signedIn.session.member?.organisation.id ?? ''
    return this
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- an answer
  ask<Data = any>(document: string, variables: Variables = {}, url = this.server.url): Promise<Data> {
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
    const { organisation } = await this.ask(`{ organisation { roles(first: 100) { nodes { id name } } } }`)
    return Object.fromEntries(organisation.roles.nodes.map((role: { id: string; name: string }) => [role.name, role.id]))
  }

  /** Adds somebody and lets them accept by the mailed link. */
  async bring(role = 'Member', email = freshEmail()): Promise<Person> {
    const roleId = (await this.roles())[role]
    await this.ask(`mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } } }`, {
      input: { email, firstName: 'Ann', lastName: 'Lee', roleId },
    })
    return accept(this.server, tokenIn(linkIn((await mailsTo(this.server, email))[0]!)))
  }
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

export const operator = (server: TestServer): Promise<Person> => signIn(server, OPERATOR.email, OPERATOR.password)

/** Accepts an invitation as a newcomer. */
export async function accept(server: TestServer, token: string, name = { firstName: 'Ann', lastName: 'Lee' }): Promise<Person> {
  const { acceptInvitation } = await ask(
    server.url,
    `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { signIn { ${SESSION} } } }`,
    { input: { token, newAccount: { ...name, password: PASSWORD } } },
  )
  return new Person(server, acceptInvitation.signIn)
}

/** A new organisation with its administrator, who is nobody else's member. */
export async function organisation(server: TestServer, email = freshEmail('admin')): Promise<Person> {
  const founder = await operator(server)
  await founder.ask(
    `mutation ($input: CreateOrganisationInput!) { createOrganisation(input: $input) { organisation { id } } }`,
    { input: { name: `Organisation ${email.split('@')[0]}`, administratorEmail: email } },
  )
  return accept(server, tokenIn(linkIn((await mailsTo(server, email))[0]!)))
}

/** Somebody added without a mail who has accepted and counts as proven, for tests that are about something else. */
export async function newcomer(admin: Person, more: Record<string, unknown> = {}): Promise<Person> {
  const { addMember } = await admin.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { invitationUrl } }`,
    { input: { email: freshEmail(), firstName: 'Ann', lastName: 'Lee', sendInvitation: false, ...more } },
  )
  const person = await accept(admin.server, tokenIn(addMember.invitationUrl))
  await admin.server.database.owner(`update user_account set email_verified_at = now() where id = $1`, [person.userId])
  return person
}
