import { granted, everything } from '../../access/permissions.ts'
import { can, must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput, conflict, forbidden, notFound } from '../../shared/errors.ts'
import { fold, singleLine, slugOf } from '../../shared/normalise.ts'
import { isId, newId } from '../../shared/tokens.ts'
import { readDomains } from '../policies/domains.ts'
import { getAssignableRole } from '../roles/role.service.ts'
import { PROJECT_FIELDS } from './project.loaders.ts'
import type { CreateProjectInput, Project, ProjectAccessInput } from './project.type.ts'

const LONGEST_NAME = 100
const LONGEST_DESCRIPTION = 1_000
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/
const MOST_PROJECTS = 500

/** Opens a project. */
export async function createProject(work: Work, input: CreateProjectInput): Promise<Project> {
  const viewer = must(work.viewer, 'manageProject')
  const name = readTitle(input.name, ['input', 'name'])
  const slug = readSlug(input.slug ?? slugOf(name), ['input', 'slug'])
  const description = readDescription(input.description, ['input', 'description'])
  const registration = input.registration ?? {}
  const role = registration.defaultRoleId
    ? await harmlessRole(work, viewer, registration.defaultRoleId)
    : null
  const domains = readDomains(registration.allowedEmailDomains ?? [], [
    'input',
    'registration',
    'allowedEmailDomains',
  ])
  const taken = await firstRow(
    work.db,
    sql`select id from project where organisation_id = ${viewer.organisationId} and slug = ${slug} and deleted_at is null`,
  )
  if (taken) throw conflict('ALREADY_EXISTS', `Another project here has the short name "${slug}".`)

  const id = newId()
  await work.db.rows(sql`
    insert into project (id, created_at, updated_at, organisation_id, name, sort_name, slug, description, sign_in_url,
      registration_enabled, registration_default_role_id, registration_allowed_email_domains,
      registration_email_verification_required)
    values (${id}, ${work.now}, ${work.now}, ${viewer.organisationId}, ${name}, ${fold(name)}, ${slug}, ${description},
      ${input.signInUrl ?? null}, ${registration.enabled ?? false}, ${role?.id ?? null}, ${domains}::text[],
      ${registration.emailVerificationRequired ?? true})`)
  await record(work, 'project.created', {
    organisationId: viewer.organisationId,
    target: { kind: 'Project', id, name },
  })
  return getProject(work, viewer, id)
}

async function harmlessRole(work: Work, viewer: TenantViewer, id: string) {
  const path = ['input', 'registration', 'defaultRoleId']
  const role = await getAssignableRole(work, viewer, id, 'PROJECT', everything('PROJECT'), path)
  if (granted(role).has('manageProjectAccess'))
    throw forbidden(
      'POLICY_FORBIDS',
      'People who register themselves cannot be given an administrative role.',
    )
  return role
}

/** A live project of the organisation in use. */
export async function getProject(work: Work, viewer: TenantViewer, id: string): Promise<Project> {
  const project = isId(id)
    ? await firstRow<Project>(
        work.db,
        sql`select ${columns('p', PROJECT_FIELDS)} from project p
          where p.id = ${id} and p.organisation_id = ${viewer.organisationId} and p.deleted_at is null`,
      )
    : undefined
  if (!project) throw notFound('project')
  return project
}

/** What the viewer holds in a project of the organisation: all of it where they manage projects. */
export async function ownInProject(
  work: Work,
  viewer: TenantViewer,
  projectId: string,
): Promise<ReadonlySet<string>> {
  if (can(viewer, 'manageProject')) return everything('PROJECT')
  const role = await firstRow<{ permissions: string[]; builtIn: boolean; level: 'PROJECT' }>(
    work.db,
    sql`select r.permissions, r.built_in as "builtIn", r.level from project_access a join role r on r.id = a.role_id
      where a.project_id = ${projectId} and a.principal_id = ${viewer.principalId}`,
  )
  return role ? granted(role) : new Set()
}

/** Lets a principal into projects with the roles named, each under the rules of a single grant. */
export async function grantAccess(
  work: Work,
  viewer: TenantViewer,
  principalId: string,
  access: ProjectAccessInput[],
  path: (string | number)[],
): Promise<void> {
  if (access.length > MOST_PROJECTS)
    throw badInput(path, 'OUT_OF_RANGE', `Name at most ${MOST_PROJECTS} projects at once.`)
  for (const [index, { projectId, roleId }] of access.entries()) {
    const project = await getProject(work, viewer, projectId)
    const own = await ownInProject(work, viewer, project.id)
    if (!own.has('manageProjectAccess'))
      throw forbidden(
        'PERMISSION_MISSING',
        'This needs `manageProject`, or `manageProjectAccess` in the project.',
      )
    const role = await getAssignableRole(work, viewer, roleId, 'PROJECT', own, [
      ...path,
      index,
      'roleId',
    ])
    await work.db.rows(sql`
      insert into project_access (id, created_at, organisation_id, project_id, principal_id, role_id)
      values (${newId()}, ${work.now}, ${viewer.organisationId}, ${project.id}, ${principalId}, ${role.id})`)
    await record(work, 'project_access.granted', {
      organisationId: viewer.organisationId,
      target: { kind: 'Project', id: project.id, name: project.name },
      changes: [{ field: 'role', before: null, after: role.name }],
    })
  }
}

/** The title of an organisation, project or role: one line, not empty. */
export function readTitle(text: string, path: (string | number)[]): string {
  const line = singleLine(text)
  if (line == null)
    throw badInput(path, 'INVALID_FORMAT', 'Names are one line without control characters.')
  if (!line) throw badInput(path, 'REQUIRED', 'A name is needed here.')
  if (line.length > LONGEST_NAME)
    throw badInput(path, 'OUT_OF_RANGE', `Names have at most ${LONGEST_NAME} characters.`)
  return line
}

/** @throws {AppError} `BAD_USER_INPUT` where it is not lower case letters, digits and dashes, at most 48. */
export function readSlug(text: string, path: (string | number)[]): string {
  if (!SLUG.test(text))
    throw badInput(
      path,
      'INVALID_FORMAT',
      'A short name is made of a-z, 0-9 and dashes within, at most 48 characters. Choose one.',
    )
  return text
}

function readDescription(
  text: string | null | undefined,
  path: (string | number)[],
): string | null {
  if (text == null) return null
  if (text.length > LONGEST_DESCRIPTION)
    throw badInput(
      path,
      'OUT_OF_RANGE',
      `Descriptions have at most ${LONGEST_DESCRIPTION} characters.`,
    )
  return text.trim() || null
}
