import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { mailsTo } from '../support/mailbox.ts'
import { organisation } from '../support/people.ts'
import { startServer } from '../support/server.ts'
import { createProject } from '../tenancy/verbs.ts'
import { ended, hurry, resting } from './passages.ts'

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

test('the welcome of the README welcomes whoever accepts an invitation', async () => {
  const document = README.match(/```graphql\n(mutation Welcome[^]*?)```/)![1]!
  const server = await startServer()
  try {
    const admin = await organisation(server)
    const project = await createProject(admin)
    const { createWorkflow } = await admin.ask(document, {
      projectId: project.id,
      roleId: (await admin.roles()).Viewer,
    })
    const { id } = createWorkflow.workflow
    const person = await admin.bring()
    await resting(admin, 3)
    const [welcome] = await mailsTo(server, person.email, 2)
    expect(welcome!.subject).toMatch(/^Welcome to Organisation .*, Ann$/)
    expect(welcome!.text).toContain('Good that you are here.')
    const { viewer } = await person.ask(
      `{ viewer { principal { ... on Member { projectAccess { nodes { project { id } role { name } } } } } } }`,
    )
    expect(viewer.principal.projectAccess.nodes).toEqual([
      { project: { id: project.id }, role: { name: 'Viewer' } },
    ])
    await hurry(admin)
    expect(await ended(admin, id)).toMatchObject([
      { status: 'SUCCEEDED', subject: { id: person.memberId } },
    ])
    const [after] = await mailsTo(server, person.email, 3)
    expect(after!.subject).toBe('Your first day, Ann')
  } finally {
    await server.stop()
  }
})
