import { AppError, unauthenticated } from '../shared/errors.ts'
import type { Permission } from './permissions.ts'
import { allow, rule, type Rule } from './shield.ts'
import { can, organisationNotChosen, refusal, type Viewer } from './viewer.ts'

/** What doors look at; the whole context is larger. */
interface DoorContext {
  viewer: Viewer | null
  now: Date
  stepUpSeconds: number
}

/** A door is a question about the viewer alone: it never reads the database. */
const door = (name: string, ask: (context: DoorContext) => true | AppError): Rule =>
  // shield's cache ignores arguments, so two aliases would share one verdict
  rule(name, { cache: 'no_cache' })((_parent: unknown, _args: unknown, context: DoorContext) =>
    ask(context),
  )

/** Anybody, signed in or not. */
export const everyone: Rule = allow as unknown as Rule

/** A person in a session. */
export const signedIn = door('signedIn', ({ viewer }) => (viewer ? true : unauthenticated()))

/** Someone who acts in an organisation. */
export const insideOrganisation = door('insideOrganisation', ({ viewer }) =>
  !viewer ? unauthenticated() : viewer.organisationId ? true : organisationNotChosen(),
)

const holding = new Map<Permission, Rule>()

/** The caller holds `permission` in the organisation in use. */
export function holds(permission: Permission): Rule {
  // shield wants one rule of a name
  const known = holding.get(permission)
  if (known) return known
  const made = door(
    `holds:${permission}`,
    ({ viewer }) => can(viewer, permission) || refusal(viewer, permission),
  )
  holding.set(permission, made)
  return made
}

/** An operator of the platform. */
export const operator = door('operator', ({ viewer }) =>
  !viewer
    ? unauthenticated()
    : viewer.operator ||
      new AppError('FORBIDDEN', 'Only operators of the platform can do this.', {
        reason: 'PERMISSION_MISSING',
      }),
)

/** The person has proven lately who they are. */
export const recentSignIn = door('recentSignIn', ({ viewer, now, stepUpSeconds }) =>
  !viewer
    ? unauthenticated()
    : now.getTime() - viewer.authenticatedAt.getTime() <= stepUpSeconds * 1000 ||
      new AppError(
        'STEP_UP_REQUIRED',
        'Prove again who you are with `reauthenticate`, then try again.',
      ),
)

/** Rules of some types, by field. */
export type Rules = Record<string, Record<string, Rule>>
