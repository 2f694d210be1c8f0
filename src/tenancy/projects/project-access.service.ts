import { isContained, withImplied } from '../../access/permissions.ts'
import {
  inEveryProject,
  inOrganisation,
  inProject,
  type Authority,
  type TenantViewer,
} from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record, recordAll } from '../../outbox/events/event.service.ts'
import { badInput, conflict, forbidden, notFound, type Path } from '../../shared/errors.ts'
import { isId, newId } from '../../shared/tokens.ts'
import { findAssignableRoles, getAssignableRole } from '../roles/role.service.ts'
import { visibleProjects } from './project.list.ts'
import { PROJECT_ACCESS_FIELDS } from './project.loaders.ts'
import { getProject, mustSeeProject } from './project.service.ts'
import type { GrantProjectAccessInput, ProjectAccess, ProjectAccessInput } from './project.type.ts'

const MOST_PROJECTS = 500

/** What the viewer holds in one project: by their place in it, and by what they hold in every project. */
export async function ownInProject(
  work: Pick<Work, 'db'>,
  viewer: Authority,
  projectId: string,
): Promise<ReadonlySet<string>> {
  const place = await firstRow<{ permissions: string[] }>(
    work.db,
    sql`select r.permissions from project_access a join role r on r.id = a.role_id
      where a.project_id = ${projectId} and a.principal_id = ${viewer.principalId}`,
  )
  return heldIn(viewer, projectId, place?.permissions ?? [])
}

/** What the viewer holds in a project, of whose roles they hold `inPlace` by their place there. */
export const heldIn = (
  viewer: Authority,
  projectId: string,
  inPlace: string[],
): ReadonlySet<string> =>
  inProject(viewer, projectId, withImplied(inPlace)).union(inEveryProject(viewer, projectId))

/**
 * Somebody who may say who enters a project. To whoever can neither enter it nor see it in a list it is unknown.
 */
async function mustManageAccess(
  work: Work,
  viewer: TenantViewer,
  projectId: string,
): Promise<ReadonlySet<string>> {
  const own = await ownInProject(work, viewer, projectId)
  if (own.has('manageProjectAccess')) return own
  await mustSeeProject(work, viewer, projectId)
  throw noSay()
}

export const noSay = (path?: Path) =>
  forbidden(
    'PERMISSION_MISSING',
    'This needs `manageProject`, or `manageProjectAccess` in the project.',
    path,
  )

/** How events tell of a place in a project: of whom, where by id, and as what. */
export const placeEvent = (
  principal: { kind?: string; id: string; name: string },
  project: { id: string; name: string },
  before: string | null,
  after: string | null,
) => ({
  target: {
    kind: principal.kind === 'SERVICE_ACCOUNT' ? 'ServiceAccount' : 'Member',
    id: principal.id,
    name: principal.name,
  },
  changes: [
    {
      field: 'projectId',
      before: before === null ? null : project.id,
      after: after === null ? null : project.id,
    },
    { field: project.name, before, after },
  ],
})

/** A place in a project that somebody may hand out. */
export interface Place {
  projectId: string
  projectName: string
  roleId: string
  roleName: string
}

/**
 * Reads what deciding about places in projects takes, for any number of them; what is returned decides about those of
 * one principal, each under the rules of a single grant.
 */
export async function findPlaces(
  work: Work,
  viewer: TenantViewer,
  wanted: ProjectAccessInput[],
): Promise<(access: ProjectAccessInput[], path: Path) => Place[]> {
  const projects = wanted.length
    ? await work.db.rows<{
        id: string
        name: string
        shown: boolean
        inPlace: string[] | null
      }>(sql`
        select p.id, p.name, coalesce(${visibleProjects(viewer)}, false) as shown,
          (select r.permissions from project_access a join role r on r.id = a.role_id
            where a.project_id = p.id and a.principal_id = ${viewer.principalId}) as "inPlace"
        from project p
        where p.id = any(${wanted.map(each => each.projectId)}::uuid[]) and p.organisation_id = ${viewer.organisationId}
          and p.deleted_at is null order by p.id for share of p`)
    : []
  const known = new Map(projects.map(project => [project.id, project]))
  const roleOf = await findAssignableRoles(
    work,
    viewer,
    wanted.map(each => each.roleId),
  )
  return (access, path) => {
    if (access.length > MOST_PROJECTS)
      throw badInput(path, 'OUT_OF_RANGE', `Name at most ${MOST_PROJECTS} projects at once.`)
    return access.map(({ projectId, roleId }, index) => {
      const project = known.get(projectId)
      const at = [...path, index, 'projectId']
      if (!project || (viewer.confinedTo && !viewer.confinedTo.has(projectId)))
        throw notFound('project', at)
      const own = heldIn(viewer, projectId, project.inPlace ?? [])
      if (!own.has('manageProjectAccess')) throw project.shown ? noSay(at) : notFound('project', at)
      if (access.findIndex(each => each.projectId === projectId) < index)
        throw conflict('ALREADY_EXISTS', 'A project is named twice.', at)
      const role = roleOf(roleId, 'PROJECT', own, [...path, index, 'roleId'])
      return { projectId, projectName: project.name, roleId: role.id, roleName: role.name }
    })
  }
}

/** Lets new principals into projects, as decided before. */
export async function grantPlaces(
  work: Work,
  organisationId: string,
  places: (Place & { principal: { kind?: string; id: string; name: string } })[],
): Promise<void> {
  if (!places.length) return
  const rows = places.map(({ principal, projectId, roleId }) => ({
    id: newId(),
    project_id: projectId,
    principal_id: principal.id,
    role_id: roleId,
  }))
  await work.db.rows(sql`
    insert into project_access (id, created_at, organisation_id, project_id, principal_id, role_id)
    select id, ${work.now}::timestamptz, ${organisationId}::uuid, project_id, principal_id, role_id
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as n (id uuid, project_id uuid, principal_id uuid, role_id uuid)`)
  await recordAll(
    work,
    places.map(({ principal, projectId, projectName, roleName }) => ({
      topic: 'project_access.granted',
      organisationId,
      ...placeEvent(principal, { id: projectId, name: projectName }, null, roleName),
    })),
  )
}

/** Lets a new principal into projects with the roles named, each under the rules of a single grant. */
export async function grantAccess(
  work: Work,
  viewer: TenantViewer,
  principal: { kind?: string; id: string; name: string },
  access: ProjectAccessInput[],
  path: Path,
): Promise<void> {
  const places = (await findPlaces(work, viewer, access))(access, path)
  await grantPlaces(
    work,
    viewer.organisationId,
    places.map(place => ({ ...place, principal })),
  )
}

/**
 * A place in a project that the viewer may hand out, held against change until the transaction ends.
 *
 * @param path where project and role stand in the input.
 */
export async function getGrantable(
  work: Work,
  viewer: TenantViewer,
  { projectId, roleId }: ProjectAccessInput,
  path: Path,
) {
  const project = await getProject(work, viewer, projectId)
  const own = await mustManageAccess(work, viewer, project.id)
  const role = await getAssignableRole(work, viewer, roleId, 'PROJECT', own, [...path, 'roleId'])
  return { project, role, own }
}

/** Lets a principal into a project, or changes the role held there; neither role may be beyond the viewer's own. */
export async function grantProjectAccess(
  work: Work,
  input: GrantProjectAccessInput,
): Promise<ProjectAccess> {
  const viewer = inOrganisation(work.viewer)
  const { project, role, own } = await getGrantable(work, viewer, input, ['input'])
  const principal = await getPrincipal(work, viewer, input.principalId)
  const before = await firstRow<{ permissions: string[]; name: string }>(
    work.db,
    sql`select r.permissions, r.name from project_access a join role r on r.id = a.role_id
      where a.project_id = ${project.id} and a.principal_id = ${principal.id} for update of a`,
  )
  if (before) mustBeAbove(before.permissions, own)
  const [row] = await work.db.rows<ProjectAccess>(sql`
    insert into project_access as a (id, created_at, organisation_id, project_id, principal_id, role_id)
    values (${newId()}, ${work.now}, ${viewer.organisationId}, ${project.id}, ${principal.id}, ${role.id})
    on conflict (project_id, principal_id) do update set role_id = excluded.role_id
    returning ${columns('a', PROJECT_ACCESS_FIELDS)}`)
  await record(work, before ? 'project_access.changed' : 'project_access.granted', {
    organisationId: viewer.organisationId,
    ...placeEvent(principal, project, before?.name ?? null, role.name),
  })
  return row!
}

/** Puts a principal out of a project; sessions in it leave it. */
export async function revokeProjectAccess(work: Work, id: string): Promise<string> {
  const viewer = inOrganisation(work.viewer)
  const access = isId(id)
    ? await firstRow<ProjectAccess>(
        work.db,
        sql`select ${columns('a', PROJECT_ACCESS_FIELDS)} from project_access a
          join project p on p.id = a.project_id and p.deleted_at is null
          where a.id = ${id} and a.organisation_id = ${viewer.organisationId}`,
      )
    : undefined
  if (!access) throw notFound('project access')
  const own = await ownInProject(work, viewer, access.projectId)
  // who cannot see the place must not learn of it
  if (!own.has('manageProjectAccess')) throw notFound('project access')
  const principal = await getPrincipal(work, viewer, access.principalId)
  // locked after the principal, as everywhere; the role held there may have changed meanwhile
  const held = await firstRow<{ permissions: string[]; role: string; project: string }>(
    work.db,
    sql`select r.permissions, r.name as role, p.name as project from project_access a join role r on r.id = a.role_id
      join project p on p.id = a.project_id where a.id = ${access.id} for update of a`,
  )
  if (!held) throw notFound('project access')
  mustBeAbove(held.permissions, own)
  await work.db.rows(sql`delete from project_access where id = ${access.id}`)
  await record(work, 'project_access.revoked', {
    organisationId: viewer.organisationId,
    ...placeEvent(principal, { id: access.projectId, name: held.project }, held.role, null),
  })
  return access.id
}

/** @throws {AppError} `FORBIDDEN` / `EXCEEDS_OWN_PERMISSIONS` for a role in a project that holds more than `own`. */
export function mustBeAbove(permissions: string[], own: ReadonlySet<string>): void {
  if (!isContained({ builtIn: false, level: 'PROJECT', permissions }, own))
    throw forbidden('EXCEEDS_OWN_PERMISSIONS', 'They hold more in this project than you do.')
}

/**
 * A live principal of the organisation in use that the viewer's role shows. Locked, so that of two who give it a place
 * at once the second sees what the first gave.
 */
async function getPrincipal(work: Work, viewer: TenantViewer, id: string) {
  const principal = isId(id)
    ? await firstRow<{ id: string; kind: string; name: string; status: string }>(
        work.db,
        sql`select m.id, m.kind, m.name, m.status from principal m
          where m.id = ${id} and m.organisation_id = ${viewer.organisationId} and m.removed_at is null for no key update of m`,
      )
    : undefined
  if (!principal) throw notFound('member or service account')
  if (principal.kind === 'SERVICE_ACCOUNT' && principal.status !== 'ACTIVE')
    throw conflict('STATE_MISMATCH', 'This service account is switched off.')
  return principal
}
