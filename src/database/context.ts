/**
 * On whose behalf statements run. Each context has a database role of its own, none of which bypasses row-level
 * security; the policies read `app.organisation` and `app.user`, and see nothing where those are unset.
 */
export type DatabaseContext =
  | {
      role: 'tenant'
      organisationId: string
      userId: string | null
      principalId: string
      visibility: 'ORGANISATION' | 'SHARED_PROJECTS' | 'SELF'
    }
  | { role: 'self'; userId: string }
  | { role: 'operator'; userId: string }
  | { role: 'system' }

export const SYSTEM: DatabaseContext = { role: 'system' }

export const ROLES = ['tenant', 'self', 'operator', 'system'] as const

export const roleName = (role: DatabaseContext['role']): string => `gatehouse_${role}`

const HARMLESS = /^(?:[0-9a-f-]{36}|[A-Z_]+)?$/

/** The session variables of a context, all of them, so that none is left over from another. */
function contextVariables(context: DatabaseContext): Record<string, string> {
  const tenant = context.role === 'tenant' ? context : null
  const variables = {
    'app.organisation': tenant?.organisationId ?? '',
    'app.principal': tenant?.principalId ?? '',
    'app.visibility': tenant?.visibility ?? '',
    'app.user': context.role === 'system' ? '' : (context.userId ?? ''),
  }
  // they are written into statements: nothing but ids and the names of visibilities may pass
  for (const value of Object.values(variables))
    if (!HARMLESS.test(value)) throw new Error('A database context takes ids only.')
  return variables
}

/**
 * The statement that enters a context until the transaction ends: its role, and the variables that policies read.
 *
 * @param more settings besides, of our own making.
 */
export function enterContext(context: DatabaseContext, more: Record<string, string> = {}): string {
  const variables = { role: roleName(context.role), ...contextVariables(context), ...more }
  const settings = Object.entries(variables)
    .map(([name, value]) => `set_config('${name}', '${value}', true)`)
    .join(', ')
  // one small answer instead of five
  return `select num_nulls(${settings})`
}

export function sameContext(left: DatabaseContext, right: DatabaseContext): boolean {
  if (left === right) return true
  if (left.role === 'tenant')
    return (
      right.role === 'tenant' &&
      left.organisationId === right.organisationId &&
      left.principalId === right.principalId &&
      left.userId === right.userId &&
      left.visibility === right.visibility
    )
  if (left.role === 'system' || right.role === 'system') return left.role === right.role
  return left.role === right.role && left.userId === right.userId
}
