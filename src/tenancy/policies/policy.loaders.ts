import DataLoader from 'dataloader'
import type { ReadIn } from '../../database/loader.ts'
import { sql } from '../../database/sql.ts'

/** What organisations ask of their members, read once for each. */
export const createPolicyLoaders = (read: ReadIn) => ({
  /** Whether the platform or the organisation insists on a second factor. */
  insistsOnMfa: new DataLoader<string, boolean>(organisationIds =>
    Promise.all(
      organisationIds.map(async id => {
        const [policy] = await read(id).rows<{ insists: boolean }>(sql`
          select t.mfa_enabled and (t.mfa_required or o.mfa_required) as insists
          from organisation o cross join platform_settings t where o.id = ${id}`)
        return policy?.insists ?? false
      }),
    ),
  ),
})
