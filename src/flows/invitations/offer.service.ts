import { withinOwn, type Authority } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { ownInProject } from '../../tenancy/projects/project-access.service.ts'
import { ROLE_FIELDS } from '../../tenancy/roles/role.loaders.ts'
import type { Role } from '../../tenancy/roles/role.type.ts'

/**
 * Whether all that waits on an invited membership, its role and its places in projects, is somebody's to hand out.
 *
 * @param anew true where they put their own name to it, and so must be able to let people into those projects;
 *   at acceptance that is no more asked, for others may have added places since.
 */
export async function mayOffer(
  work: Work,
  authority: Authority,
  principalId: string,
  anew = false,
): Promise<boolean> {
  const role = await firstRow<Role>(
    work.db,
    sql`select ${columns('r', ROLE_FIELDS)} from principal m join role r on r.id = m.role_id where m.id = ${principalId}`,
  )
  if (!role || !withinOwn(authority, role)) return false
  const places = await work.db.rows<Role & { projectId: string }>(sql`
    select ${columns('r', ROLE_FIELDS)}, a.project_id as "projectId" from project_access a join role r on r.id = a.role_id
    where a.principal_id = ${principalId}`)
  for (const place of places) {
    const own = await ownInProject(work, authority, place.projectId)
    if (!withinOwn(authority, place, own) || (anew && !own.has('manageProjectAccess'))) return false
  }
  return true
}
