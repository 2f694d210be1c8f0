import { accept, freshEmail, newcomer, type Person } from '../support/people.ts'
import { tokenIn } from '../support/mailbox.ts'

// What tests about tenancy do all the time, as a client would.

let number = 0
const fresh = (name: string): string => `${name} ${(number += 1)}`

export const RANDOM_ID = '01890000-0000-7000-8000-00000000abcd'

type Input = Record<string, unknown>

async function run(by: Person, field: string, input: Input, type: string, answer: string) {
  const data = await by.ask(`mutation ($input: ${type}!) { ${field}(input: $input) { ${answer} } }`, { input })
  return data[field]
}

async function change(by: Person, field: string, id: string, input: Input, type: string, answer: string) {
  const document = `mutation ($id: ID!, $input: ${type}!) { ${field}(id: $id, input: $input) { ${answer} } }`
  return (await by.ask(document, { id, input }))[field]
}

/** A verb that takes an id and nothing else. */
export async function act(by: Person, field: string, id: string, answer = '__typename', name = 'id') {
  return (await by.ask(`mutation ($id: ID!) { ${field}(${name}: $id) { ${answer} } }`, { id }))[field]
}

const ROLE = `role { id name level visibility permissions { name } holderCount }`

export const createRole = async (by: Person, permissions: string[] = [], more: Input = {}) =>
  (
    await run(
      by,
      'createRole',
      { name: fresh('Role'), level: 'ORGANISATION', permissions, ...more },
      'CreateRoleInput',
      ROLE,
    )
  ).role

export const updateRole = async (by: Person, id: string, input: Input) =>
  (await change(by, 'updateRole', id, input, 'UpdateRoleInput', ROLE)).role

export const deleteRole = async (by: Person, id: string, replacementId: string | null = null) =>
  (
    await by.ask(
      `mutation ($id: ID!, $replacementId: ID) { deleteRole(id: $id, replacementId: $replacementId) { deletedId organisation { id } } }`,
      { id, replacementId },
    )
  ).deleteRole

export const createPermission = async (by: Person, input: Input) =>
  (
    await run(
      by,
      'createPermission',
      { description: 'Something of our own.', ...input },
      'CreatePermissionInput',
      'permission { name level builtIn description }',
    )
  ).permission

export const deletePermission = (by: Person, name: string) =>
  by.ask(`mutation ($name: String!) { deletePermission(name: $name) { organisation { id } } }`, { name })

const PROJECT = `project { id name slug description signInUrl registration { enabled allowedEmailDomains emailVerificationRequired defaultRole { id name } } }`

export const createProject = async (by: Person, input: Input = {}) =>
  (await run(by, 'createProject', { name: fresh('Project'), ...input }, 'CreateProjectInput', PROJECT)).project

export const updateProject = async (by: Person, id: string, input: Input) =>
  (await change(by, 'updateProject', id, input, 'UpdateProjectInput', PROJECT)).project

export const grant = async (by: Person, principalId: string, projectId: string, roleId: string) =>
  (
    await run(
      by,
      'grantProjectAccess',
      { principalId, projectId, roleId },
      'GrantProjectAccessInput',
      'projectAccess { id role { id name } project { id } principal { id name } }',
    )
  ).projectAccess

export const updateMember = async (by: Person, id: string, input: Input) =>
  (await change(by, 'updateMember', id, input, 'UpdateMemberInput', 'member { id name status role { id name } }'))
    .member

export const assign = (by: Person, id: string, roleId: string) => updateMember(by, id, { roleId })

export const suspendMember = async (by: Person, id: string, until: Date | null = null) =>
  (await change(by, 'suspendMember', id, { until }, 'SuspendInput', 'member { id status suspendedUntil }')).member

export const addMember = (by: Person, more: Input = {}) =>
  run(
    by,
    'addMember',
    { email: freshEmail(), firstName: 'Ann', lastName: 'Lee', sendInvitation: false, ...more },
    'AddMemberInput',
    'member { id email status invitation { id } } invitationUrl',
  )

export const updateSettings = (by: Person, input: Input) =>
  run(by, 'updateOrganisationSettings', input, 'UpdateOrganisationSettingsInput', 'organisation { id }')

export const switchProject = async (by: Person, id: string | null) => {
  const { switchProject: renewed } = await by.ask(
    `mutation ($id: ID) { switchProject(id: $id) { accessToken refreshToken session { id project { id } member { id organisation { id } } } } }`,
    { id },
  )
  return by.take(renewed)
}

/** Names of what somebody may do, in a project too where one is named. */
export async function permissions(by: Person, projectId: string | null = null, url?: string): Promise<string[]> {
  const { viewer } = await by.ask(
    `query ($projectId: ID) { viewer { permissions(projectId: $projectId) { name } } }`,
    { projectId },
    url,
  )
  return viewer.permissions.map((each: { name: string }) => each.name)
}

/** Somebody whose role holds exactly this. */
export async function holder(admin: Person, names: string[], more: Input = {}): Promise<Person & { roleId: string }> {
  const role = await createRole(admin, names, more)
  const person = await newcomer(admin, { roleId: role.id })
  return Object.assign(person, { roleId: role.id as string })
}

/** Lets somebody who has an account already join a further organisation. */
export async function admit(admin: Person, person: Person, roleId?: string): Promise<string> {
  const { member } = await addMember(admin, { email: person.email, ...(roleId && { roleId }) })
  return member.id
}

export const acceptUrl = (by: Person, url: string) => accept(by.server, tokenIn(url))
