import type { Work } from '../../access/work.ts'
import { fullName, type Account } from '../../accounts/users/user.service.ts'
import { isActive, type Status } from '../../credentials/callers/standing.ts'
import { columns } from '../../database/columns.ts'
import { sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { newId } from '../../shared/tokens.ts'
import { createMembership } from '../../tenancy/memberships/membership.service.ts'
import { PROJECT_ACCESS_FIELDS } from '../../tenancy/projects/project.loaders.ts'
import { placeEvent } from '../../tenancy/projects/project-access.service.ts'
import type { ProjectAccess } from '../../tenancy/projects/project.type.ts'
import type { OpenProject } from './open-project.ts'

/** Why somebody is not let in: an invitation waits to be accepted, the organisation barred them, or they are in. */
export type NotAdmitted = 'INVITED' | 'BARRED' | 'THERE'

type Newcomer = Pick<Account, 'id' | 'email' | 'firstName' | 'lastName'>

interface Standing extends Status {
  id: string
  userId: string | null
  lockedAt: string | null
  removedAt: string | null
  returnBarred: boolean
}

/**
 * Lets an account into a project whose registration is open, with the roles that are given there; as *system*.
 * Whoever was put out or barred comes back only by being added or invited.
 *
 * @param proven false confines the membership to this project until the address is proven.
 */
export async function admit(
  work: Work,
  project: OpenProject,
  account: Newcomer,
  proven: boolean,
): Promise<ProjectAccess | NotAdmitted> {
  const before = await work.db.rows<Standing>(sql`
    select m.id, m.user_id as "userId", m.status, m.suspended_until as "suspendedUntil", m.locked_at as "lockedAt",
      m.removed_at as "removedAt", m.return_barred as "returnBarred"
    from principal m where m.organisation_id = ${project.organisationId}
      and (m.user_id = ${account.id} or m.email = ${account.email}) order by m.id for no key update`)
  const live = before.find(({ removedAt }) => removedAt == null)
  if (live && !live.userId) return 'INVITED'
  if (live && (live.userId !== account.id || live.lockedAt || !isActive(live, work.now)))
    return 'BARRED'
  if (!live && before.some(({ returnBarred }) => returnBarred)) return 'BARRED'
  const principalId = live?.id ?? (await join(work, project, account, proven))
  return enter(work, project, { ...account, principalId })
}

async function join(
  work: Work,
  project: OpenProject,
  account: Newcomer,
  proven: boolean,
): Promise<string> {
  const { organisationId, organisationRole } = project
  const id = await createMembership(work, {
    organisationId,
    roleId: organisationRole.id,
    email: account.email,
    firstName: account.firstName,
    lastName: account.lastName,
    userId: account.id,
  })
  if (!proven)
    await work.db.rows(
      sql`update principal set unproven_project_id = ${project.projectId} where id = ${id}`,
    )
  const name = fullName(account)
  await record(work, 'member.joined', {
    organisationId,
    target: { kind: 'Member', id, name },
    actor: { userId: account.id, principalId: id, name },
    changes: [{ field: 'role', before: null, after: organisationRole.name }],
  })
  return id
}

async function enter(
  work: Work,
  { organisationId, projectId, name, projectRole }: OpenProject,
  newcomer: Newcomer & { principalId: string },
): Promise<ProjectAccess | NotAdmitted> {
  const { principalId } = newcomer
  const [access] = await work.db.rows<ProjectAccess>(sql`
    insert into project_access as a (id, created_at, organisation_id, project_id, principal_id, role_id)
    values (${newId()}, ${work.now}, ${organisationId}, ${projectId}, ${principalId}, ${projectRole.id})
    on conflict (project_id, principal_id) do nothing returning ${columns('a', PROJECT_ACCESS_FIELDS)}`)
  if (!access) return 'THERE'
  await record(work, 'project_access.granted', {
    organisationId,
    actor: { userId: newcomer.id, principalId, name: fullName(newcomer) },
    ...placeEvent(
      { id: principalId, name: fullName(newcomer) },
      { id: projectId, name },
      null,
      projectRole.name,
    ),
  })
  return access
}
