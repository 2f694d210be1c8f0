import { transact } from './access/work.ts'
import { createAccount } from './accounts/users/user.service.ts'
import type { PasswordHasher } from './credentials/passwords/hasher.ts'
import { SYSTEM } from './database/context.ts'
import { firstRow, sql } from './database/sql.ts'
import { foundOrganisation, settleFounder } from './flows/founding/founding.service.ts'
import type { Node } from './graphql/context.ts'
import { canonicalEmail } from './shared/normalise.ts'
import { newToken } from './shared/tokens.ts'
import { createPlatformSettings } from './tenancy/policies/platform-policy.service.ts'

/** What is told once, where the password was made here. */
export interface FirstCredentials {
  email: string
  password: string | null
}

/** On an empty database: the platform's settings, the first operator and the organisation they administer. */
export async function firstRun(
  node: Pick<Node, 'database' | 'server' | 'clock'>,
  hasher: PasswordHasher,
): Promise<FirstCredentials | null> {
  const { config } = node.server
  const done = await firstRow(
    node.database.store.system,
    sql`select id from platform_settings where id = ${1}`,
  )
  if (done) return null
  const email = canonicalEmail(config.OPERATOR_EMAIL)!
  const password = config.OPERATOR_PASSWORD ?? newToken().slice(0, 24)
  const passwordHash = await hasher.hash(password)
  const made = await transact(
    {
      store: node.database.store,
      context: SYSTEM,
      viewer: null,
      now: node.clock(),
      request: { requestId: 'first-run', ipAddress: '', userAgent: null },
      server: node.server,
    },
    async work => {
      // of several nodes that start at once, one settles in
      if (!(await createPlatformSettings(work, config.PASSWORD_MIN_LENGTH))) return false
      const userId = await createAccount(work, {
        email,
        firstName: 'First',
        lastName: 'Operator',
        passwordHash,
        verified: true,
        operator: true,
      })
      const { id, administratorRoleId } = await foundOrganisation(
        work,
        config.ORGANISATION_NAME,
        null,
      )
      await settleFounder(work, id, administratorRoleId, userId)
      return true
    },
  )
  return made ? { email, password: config.OPERATOR_PASSWORD ? null : password } : null
}
