import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  acceptUrl,
  act,
  addMember,
  assign,
  createPermission,
  createProject,
  createRole,
  deletePermission,
  deleteRole,
  grant,
  holder,
  permissions,
  suspendMember,
  updateMember,
  updateRole,
  updateSettings,
} from './verbs.ts'

let server: TestServer
let admin: Person
/** Holds the three permissions that concern people and roles, and nothing else. */
let deputy: Person & { roleId: string }

const BEYOND = ['FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS'] as const
const DEPUTY = ['viewUser', 'manageUser', 'manageRole']

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  deputy = await holder(admin, DEPUTY)
  await createPermission(admin, { name: 'report.sign', level: 'ORGANISATION' })
  await createPermission(admin, { name: 'invoice.approve' })
})
afterAll(() => server.stop())

test('nobody defines a role beyond their own', async () => {
  const made = await createRole(deputy, DEPUTY)
  expect(made.permissions).toHaveLength(3)
  for (const name of [
    'viewAudit',
    'manageProject',
    'manageOrganisation',
    'manageServiceAccount',
    'report.sign',
  ])
    await expect(createRole(deputy, ['viewUser', name])).rejects.toBeRefused(...BEYOND)
  for (const name of ['manageProjectAccess', 'invoice.approve'])
    await expect(createRole(deputy, [name], { level: 'PROJECT' })).rejects.toBeRefused(...BEYOND)
  await expect(updateRole(deputy, made.id, { permissions: ['viewAudit'] })).rejects.toBeRefused(
    ...BEYOND,
  )
})

test('nobody changes a role beyond their own, not even to make it less, nor widens the one they hold', async () => {
  const auditor = await createRole(admin, ['viewAudit'])
  const inside = await createRole(admin, ['invoice.approve'], { level: 'PROJECT' })
  for (const role of [auditor, inside]) {
    await expect(updateRole(deputy, role.id, { permissions: [] })).rejects.toBeRefused(...BEYOND)
    await expect(updateRole(deputy, role.id, { name: 'Mine now' })).rejects.toBeRefused(...BEYOND)
    await expect(deleteRole(deputy, role.id)).rejects.toBeRefused(...BEYOND)
  }
  await expect(
    updateRole(deputy, deputy.roleId, { permissions: [...DEPUTY, 'viewAudit'] }),
  ).rejects.toBeRefused(...BEYOND)
  const shared = await newcomer(admin)
  const { Member } = await admin.roles()
  await expect(
    updateRole(deputy, Member!, { permissions: ['viewUser', 'manageProject'] }),
  ).rejects.toBeRefused(...BEYOND)
  expect(await permissions(deputy)).toEqual(DEPUTY)
  expect(await permissions(shared)).toEqual(['viewUser'])
})

test('nobody hands out a role beyond their own, by whichever way', async () => {
  const auditor = await createRole(admin, ['viewAudit'])
  const everyone = await newcomer(admin)
  const spare = await createRole(deputy, ['viewUser'])
  const { Administrator } = await admin.roles()
  for (const roleId of [auditor.id, Administrator!]) {
    await expect(assign(deputy, everyone.memberId, roleId)).rejects.toBeRefused(...BEYOND)
    await expect(assign(deputy, deputy.memberId, roleId)).rejects.toBeRefused(...BEYOND)
    await expect(addMember(deputy, { roleId })).rejects.toBeRefused(...BEYOND)
    await expect(deleteRole(deputy, spare.id, roleId)).rejects.toBeRefused(...BEYOND)
  }
  const keeper = await holder(admin, ['manageOrganisation'])
  const signer = await createRole(admin, ['report.sign'])
  await expect(updateSettings(keeper, { defaultRoleId: signer.id })).rejects.toBeRefused(...BEYOND)
  await updateSettings(admin, { defaultRoleId: signer.id })
  await expect(addMember(deputy)).rejects.toBeRefused(...BEYOND)
  await updateSettings(admin, { defaultRoleId: (await admin.roles()).Member })
})

test('only who holds everything in every project makes an Administrator', async () => {
  const all = [
    'viewUser',
    'manageUser',
    'manageServiceAccount',
    'manageRole',
    'manageProject',
    'manageOrganisation',
    'manageIntegration',
    'viewAudit',
    'reviewAccess',
    'report.sign',
  ]
  const second = await holder(admin, all)
  const { Administrator } = await admin.roles()
  // `invoice.approve`, in every project, would come with it
  await expect(assign(second, second.memberId, Administrator!)).rejects.toBeRefused(...BEYOND)
  await expect(addMember(second, { roleId: Administrator })).rejects.toBeRefused(...BEYOND)
  const colleague = await newcomer(admin, { roleId: Administrator })
  // on the organisation they are equals
  await act(second, 'lockMember', colleague.memberId)
})

test('a role with a broader view than one’s own cannot be made, given or changed', async () => {
  const near = await holder(admin, DEPUTY, { visibility: 'SHARED_PROJECTS' })
  const project = await createProject(admin)
  const { Viewer } = await admin.roles()
  const peer = await newcomer(admin, {
    roleId: near.roleId,
    projectAccess: [{ projectId: project.id, roleId: Viewer }],
  })
  await grant(admin, near.memberId, project.id, Viewer!)
  const wide = await createRole(admin, ['viewUser'])
  const own = await createRole(near, ['viewUser'], { visibility: 'SELF' })

  await expect(createRole(near, ['viewUser'])).rejects.toBeRefused(...BEYOND)
  await expect(createRole(near, [], { visibility: 'ORGANISATION' })).rejects.toBeRefused(...BEYOND)
  for (const id of [own.id, near.roleId])
    await expect(updateRole(near, id, { visibility: 'ORGANISATION' })).rejects.toBeRefused(
      ...BEYOND,
    )
  await expect(updateRole(near, wide.id, { visibility: 'SELF' })).rejects.toBeRefused(...BEYOND)
  for (const id of [peer.memberId, near.memberId])
    await expect(assign(near, id, wide.id)).rejects.toBeRefused(...BEYOND)
  await expect(addMember(near, { roleId: wide.id })).rejects.toBeRefused(...BEYOND)
  await expect(deleteRole(near, own.id, wide.id)).rejects.toBeRefused(...BEYOND)
  await updateRole(near, own.id, { visibility: 'SHARED_PROJECTS' })
})

test('nobody acts on a member who holds what they lack', async () => {
  const keeper = await holder(admin, ['viewAudit'])
  for (const id of [admin.memberId, keeper.memberId]) {
    for (const verb of [
      'lockMember',
      'unlockMember',
      'deactivateMember',
      'activateMember',
      'removeMember',
      'revokeMemberSessions',
    ])
      await expect(act(deputy, verb, id), verb).rejects.toBeRefused(...BEYOND)
    await expect(suspendMember(deputy, id)).rejects.toBeRefused(...BEYOND)
    await expect(updateMember(deputy, id, { firstName: 'Eve' })).rejects.toBeRefused(...BEYOND)
    await expect(assign(deputy, id, deputy.roleId)).rejects.toBeRefused(...BEYOND)
  }
  const { organisation: seen } = await deputy.ask(
    `query ($a: ID!, $b: ID!) { organisation { a: member(id: $a) { viewerCanManage } b: member(id: $b) { viewerCanManage } } }`,
    { a: admin.memberId, b: deputy.memberId },
  )
  expect(seen).toEqual({ a: { viewerCanManage: false }, b: { viewerCanManage: true } })
  expect((await signIn(server, keeper.email)).memberId).toBe(keeper.memberId)
})

test('places in projects that come with an addition are within one’s own too', async () => {
  const project = await createProject(admin)
  const approver = await createRole(admin, ['invoice.approve'], { level: 'PROJECT' })
  const { Viewer } = await admin.roles()
  const access = (roleId: string) => ({ projectAccess: [{ projectId: project.id, roleId }] })
  await expect(addMember(deputy, access(Viewer!))).rejects.toBeRefused('NOT_FOUND')
  const planner = await holder(admin, ['manageUser', 'manageProject'])
  await addMember(planner, access(Viewer!))
  await expect(addMember(planner, access(approver.id))).rejects.toBeRefused(...BEYOND)
})

test('an open invitation is resent, copied or withdrawn by nobody who could not have sent it', async () => {
  const auditor = await createRole(admin, ['viewAudit'])
  const approver = await createRole(admin, ['invoice.approve'], { level: 'PROJECT' })
  const { Viewer } = await admin.roles()
  const project = await createProject(admin)
  const near = await holder(admin, DEPUTY, { visibility: 'SHARED_PROJECTS' })
  await grant(admin, near.memberId, project.id, Viewer!)
  const strong = await addMember(admin, { roleId: auditor.id })
  const wide = await addMember(admin, {
    projectAccess: [{ projectId: project.id, roleId: Viewer }],
  })
  const inside = await addMember(admin, {
    projectAccess: [{ projectId: project.id, roleId: approver.id }],
  })
  const copy = (by: Person, id: string) =>
    by.ask(`mutation ($id: ID!) { resendInvitation(id: $id, sendMail: false) { invitationUrl } }`, {
      id,
    })

  await expect(copy(deputy, strong.member.invitation.id)).rejects.toBeRefused(...BEYOND)
  await expect(act(deputy, 'revokeInvitation', strong.member.invitation.id)).rejects.toBeRefused(
    ...BEYOND,
  )
  await expect(copy(near, wide.member.invitation.id)).rejects.toBeRefused(...BEYOND)
  await expect(copy(deputy, inside.member.invitation.id)).rejects.toBeRefused(...BEYOND)
  // nothing changed: the first links still work
  expect(await permissions(await acceptUrl(admin, strong.invitationUrl))).toEqual(['viewAudit'])
  expect(await permissions(await acceptUrl(admin, inside.invitationUrl), project.id)).toContain(
    'invoice.approve',
  )
})

test('whoever sends an invitation again could let people into its projects themselves', async () => {
  const project = await createProject(admin)
  const { Viewer, 'Project administrator': keeper } = await admin.roles()
  const waiting = await addMember(admin, {
    projectAccess: [{ projectId: project.id, roleId: Viewer }],
  })
  const id = waiting.member.invitation.id
  await expect(act(deputy, 'resendInvitation', id)).rejects.toBeRefused(...BEYOND)
  const placed = await grant(admin, deputy.memberId, project.id, Viewer!)
  await expect(act(deputy, 'resendInvitation', id)).rejects.toBeRefused(...BEYOND)
  await grant(admin, deputy.memberId, project.id, keeper!)
  await act(deputy, 'resendInvitation', id)
  await act(admin, 'revokeProjectAccess', placed.id)
})

test('a permission is retired by nobody who lacks it, nor while roles beyond their own hold it', async () => {
  const own = await createPermission(admin, { name: 'ledger.close', level: 'ORGANISATION' })
  await createPermission(admin, { name: 'ledger.read' })
  for (const name of [own.name, 'ledger.read'])
    await expect(deletePermission(deputy, name)).rejects.toBeRefused(...BEYOND)
  const closer = await holder(admin, ['viewUser', 'manageRole', own.name])
  const mighty = await createRole(admin, [own.name, 'viewAudit'])
  await expect(deletePermission(closer, own.name)).rejects.toBeRefused(...BEYOND)
  const wide = await createRole(admin, [own.name], { visibility: 'ORGANISATION' })
  await updateRole(admin, mighty.id, { permissions: ['viewAudit'] })
  await updateRole(admin, closer.roleId, { visibility: 'SHARED_PROJECTS' })
  await expect(deletePermission(closer, own.name)).rejects.toBeRefused(...BEYOND)
  // refused, it changed nothing
  expect(await permissions(closer)).toContain(own.name)
  await updateRole(admin, wide.id, { visibility: 'SELF' })
  await deletePermission(closer, own.name)
  expect(await permissions(closer)).toEqual(['viewUser', 'manageRole'])
  await deletePermission(admin, 'ledger.read')
})

test('an invitation from somebody who was demoted since lets nobody in', async () => {
  const wide = await holder(admin, DEPUTY)
  const role = await createRole(admin, ['viewUser'])
  const { invitationUrl } = await addMember(wide, { roleId: role.id })
  await updateRole(admin, wide.roleId, { visibility: 'SELF' })
  await expect(acceptUrl(wide, invitationUrl)).rejects.toBeRefused(...BEYOND)
  await updateRole(admin, wide.roleId, { visibility: 'ORGANISATION', permissions: ['viewUser'] })
  await expect(acceptUrl(wide, invitationUrl)).rejects.toBeRefused(...BEYOND)
  await updateRole(admin, wide.roleId, { permissions: DEPUTY })
  expect(await permissions(await acceptUrl(wide, invitationUrl))).toEqual(['viewUser'])
})

test('a role says to each viewer whether they may give or change it', async () => {
  const auditor = await createRole(admin, ['viewAudit'])
  const plain = await createRole(admin, ['viewUser'])
  const { Administrator, Viewer } = await admin.roles()
  const said = async (by: Person, id: string) => {
    const { organisation: there } = await by.ask(
      `query ($id: ID!) { organisation { role(id: $id) { viewerCanAssign viewerCanUpdate } } }`,
      { id },
    )
    return [there.role.viewerCanAssign, there.role.viewerCanUpdate]
  }
  expect(await said(deputy, plain.id)).toEqual([true, true])
  expect(await said(deputy, auditor.id)).toEqual([false, false])
  expect(await said(deputy, Administrator!)).toEqual([false, false])
  expect(await said(deputy, Viewer!)).toEqual([false, true])
  expect(await said(admin, Administrator!)).toEqual([true, false])
  const member = await newcomer(admin)
  expect(await said(member, plain.id)).toEqual([false, false])
})

test('a demotion and a changed role act on the next request, on every node', async () => {
  const beside = await startServer({ beside: server })
  try {
    const person = await holder(admin, DEPUTY)
    const onBoth = async () => [
      await permissions(person),
      await permissions(person, null, beside.url),
    ]
    expect(await onBoth()).toEqual([DEPUTY, DEPUTY])
    await updateRole(admin, person.roleId, { permissions: ['viewUser'] })
    expect(await onBoth()).toEqual([['viewUser'], ['viewUser']])
    const locked = `mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`
    await expect(person.ask(locked, { id: deputy.memberId }, beside.url)).rejects.toBeRefused(
      'FORBIDDEN',
      'PERMISSION_MISSING',
    )

    await assign(admin, person.memberId, deputy.roleId)
    expect(await onBoth()).toEqual([DEPUTY, DEPUTY])
    await assign(admin, person.memberId, (await admin.roles()).Member!)
    expect(await onBoth()).toEqual([['viewUser'], ['viewUser']])
    await expect(person.ask(locked, { id: deputy.memberId }, beside.url)).rejects.toBeRefused(
      'FORBIDDEN',
      'PERMISSION_MISSING',
    )
  } finally {
    await beside.stop()
  }
})
