import { isAdministrative } from '../../access/permissions.ts'
import { must, withinOwn, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { conflict, forbidden, notFound } from '../../shared/errors.ts'
import { fold, slugOf } from '../../shared/normalise.ts'
import { isId, newId } from '../../shared/tokens.ts'
import { readDomains } from '../policies/domains.ts'
import { ROLE_FIELDS } from '../roles/role.loaders.ts'
import { getAssignableRole, mustBeWithinOwn } from '../roles/role.service.ts'
import type { Role } from '../roles/role.type.ts'
import { visibleProjects } from './project.list.ts'
import { PROJECT_FIELDS } from './project.loaders.ts'
import { readDescription, readSlug, readTitle } from '../../shared/titles.ts'
import type { CreateProjectInput, Project, UpdateProjectInput } from './project.type.ts'

/** Changes a project, or the rules for registering with it. */
export async function updateProject(
  work: Work,
  id: string,
  input: UpdateProjectInput,
): Promise<Project> {
  const viewer = must(work.viewer, 'manageProject')
  const project = await getProject(work, viewer, id, true)
  const rules = input.registration
  const path = ['input', 'registration']
  const after = {
    name: input.name === undefined ? project.name : readTitle(input.name ?? '', ['input', 'name']),
    slug: input.slug === undefined ? project.slug : readSlug(input.slug ?? '', ['input', 'slug']),
    description:
      input.description === undefined
        ? project.description
        : readDescription(input.description, ['input', 'description']),
    signInUrl: input.signInUrl === undefined ? project.signInUrl : input.signInUrl,
    registrationEnabled: rules?.enabled ?? project.registrationEnabled,
    registrationDefaultRoleId:
      rules?.defaultRoleId === undefined
        ? project.registrationDefaultRoleId
        : rules.defaultRoleId && (await harmlessRole(work, viewer, rules.defaultRoleId)).id,
    registrationAllowedEmailDomains:
      rules?.allowedEmailDomains === undefined
        ? project.registrationAllowedEmailDomains
        : readDomains(rules.allowedEmailDomains ?? [], [...path, 'allowedEmailDomains']),
    registrationEmailVerificationRequired:
      rules?.emailVerificationRequired ?? project.registrationEmailVerificationRequired,
  }
  if (after.signInUrl && after.signInUrl !== project.signInUrl) mustAnswerForPage(viewer)
  if (rules && after.registrationEnabled)
    await mustHoldWhatIsGiven(work, viewer, after.registrationDefaultRoleId)
  await mustBeFree(work, viewer, after.slug, project.id)
  await work.db.rows(sql`
    update project set name = ${after.name}, sort_name = ${fold(after.name)}, slug = ${after.slug},
      description = ${after.description}, sign_in_url = ${after.signInUrl},
      registration_enabled = ${after.registrationEnabled},
      registration_default_role_id = ${after.registrationDefaultRoleId},
      registration_allowed_email_domains = ${after.registrationAllowedEmailDomains}::text[],
      registration_email_verification_required = ${after.registrationEmailVerificationRequired}, updated_at = ${work.now}
    where id = ${project.id}`)
  await record(work, 'project.updated', {
    organisationId: viewer.organisationId,
    target: { kind: 'Project', id: project.id, name: after.name },
    changes: changesBetween(project, after),
  })
  return getProject(work, viewer, project.id)
}

/** Deletes a project and all access to it; the row stays, for others refer to it. Sessions in it leave it. */
export async function deleteProject(work: Work, id: string): Promise<Project> {
  const viewer = must(work.viewer, 'manageProject')
  const project = await getProject(work, viewer, id, true)
  await mustBeUnnamed(work, project.id)
  await work.db.rows(sql`delete from project_access where project_id = ${project.id}`)
  await work.db.rows(sql`
    update project set deleted_at = ${work.now}, updated_at = ${work.now}, registration_enabled = false where id = ${project.id}`)
  await record(work, 'project.deleted', {
    organisationId: viewer.organisationId,
    target: { kind: 'Project', id: project.id, name: project.name },
  })
  return project
}

/** Asked with the project's row locked, which whoever names it in a workflow holds against that. */
async function mustBeUnnamed(work: Work, id: string): Promise<void> {
  const workflow = await firstRow<{ name: string }>(
    work.db,
    sql`select w.name from workflow w where w.deleted_at is null
      and (w.project_id = ${id} or w.id in (select s.workflow_id from workflow_step s where s.project_id = ${id})) limit 1`,
  )
  if (workflow)
    throw conflict(
      'IN_USE',
      `The workflow "${workflow.name}" names this project. Change or delete that first.`,
    )
}

/** A courtesy: the unique index is the rule. */
async function mustBeFree(
  work: Work,
  viewer: TenantViewer,
  slug: string,
  ownId: string | null,
): Promise<void> {
  const taken = await firstRow(
    work.db,
    sql`select id from project where organisation_id = ${viewer.organisationId} and slug = ${slug}
      and deleted_at is null and id is distinct from ${ownId}`,
  )
  if (taken)
    throw conflict('ALREADY_EXISTS', `Another project here has the short name "${slug}".`, [
      'input',
      'slug',
    ])
}

/** Opens a project. */
export async function createProject(work: Work, input: CreateProjectInput): Promise<Project> {
  const viewer = must(work.viewer, 'manageProject')
  if (viewer.confinedTo)
    throw forbidden('SCOPE_MISSING', 'This key is confined to some projects and opens no others.')
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
  if (input.signInUrl) mustAnswerForPage(viewer)
  if (registration.enabled) await mustHoldWhatIsGiven(work, viewer, role?.id ?? null)
  await mustBeFree(work, viewer, slug, null)

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

/**
 * A project's own page receives the sign-in links of all who can enter it, and so sessions of theirs; an Administrator
 * can enter every project.
 */
function mustAnswerForPage(viewer: TenantViewer): void {
  const administrator = { builtIn: true, level: 'ORGANISATION', permissions: [] } as const
  if (!withinOwn(viewer, { ...administrator, visibility: 'ORGANISATION' }))
    throw forbidden(
      'EXCEEDS_OWN_PERMISSIONS',
      'The page receives sessions of everybody who can enter, Administrators too: only who holds everything may name it.',
    )
}

/**
 * Whoever opens registration, or says for whom it is open, hands out what newcomers get: the organisation's default
 * role, and the project's.
 */
async function mustHoldWhatIsGiven(
  work: Work,
  viewer: TenantViewer,
  projectRoleId: string | null,
): Promise<void> {
  const given = await work.db.rows<Role>(sql`
    select ${columns('r', ROLE_FIELDS)} from role r
    where r.id = ${projectRoleId} or r.id = (select o.default_role_id from organisation o where o.id = ${viewer.organisationId})
    order by r.id for share`)
  for (const role of given) mustBeWithinOwn(viewer, role, role.name)
}

async function harmlessRole(work: Work, viewer: TenantViewer, id: string) {
  const path = ['input', 'registration', 'defaultRoleId']
  const role = await getAssignableRole(work, viewer, id, 'PROJECT', null, path)
  if (isAdministrative(role))
    throw forbidden(
      'POLICY_FORBIDS',
      'People who register themselves cannot be given an administrative role.',
      path,
    )
  return role
}

/** A live project of the organisation in use. */
export async function getProject(
  work: Work,
  viewer: TenantViewer,
  id: string,
  lock = false,
): Promise<Project> {
  const project = isId(id)
    ? await firstRow<Project>(
        work.db,
        sql`select ${columns('p', PROJECT_FIELDS)} from project p
          where p.id = ${id} and p.organisation_id = ${viewer.organisationId} and p.deleted_at is null
            ${viewer.confinedTo ? sql`and p.id = any(${[...viewer.confinedTo]}::uuid[])` : sql``} ${lock ? sql`for update` : sql`for share`}`,
      )
    : undefined
  if (!project) throw notFound('project')
  return project
}

/** @throws {AppError} `NOT_FOUND` for a project that the viewer neither enters nor sees in a list. */
export async function mustSeeProject(work: Work, viewer: TenantViewer, id: string): Promise<void> {
  const shown = await firstRow(
    work.db,
    sql`select p.id from project p where p.id = ${id} and ${visibleProjects(viewer)}`,
  )
  if (!shown) throw notFound('project')
}
