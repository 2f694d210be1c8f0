import type { Owed, SessionTask, Viewer } from '../../access/viewer.ts'
import type { User } from '../../accounts/users/user.type.ts'
import type { Project } from '../../tenancy/projects/project.type.ts'
import type { Session } from '../sessions/session.type.ts'
import { NO_AUTHORITY, type PrincipalRows, type RoleAuthority } from './caller.ts'
import { reachOf } from './standing.ts'

/** What decides about a session whose account and membership are in good standing. */
interface Standing {
  session: Pick<Session, 'method' | 'mfaVerifiedAt'>
  user: Pick<User, 'secondFactor'>
  /** The membership that it was to act through. */
  standing: PrincipalRows | null
  /** The project that it was to act in, where it is still open to the member. */
  project: Project | null
  proven: boolean
  mfaEnabled: boolean
  /** The platform insists on a second factor. */
  mfaRequired: boolean
}

export interface SessionState {
  /** Through which membership it acts; null where it acts nowhere. */
  principal: PrincipalRows | null
  authority: RoleAuthority & Pick<Viewer, 'confinedTo'>
  tasks: SessionTask[]
  owes: Owed | null
  mfaRequired: boolean
}

/**
 * What a session owes, and where that leaves it. It is asked for every request, so that a policy binds what acts under
 * it from the next one on.
 */
export function stateOf(of: Standing): SessionState {
  const { session, standing, project } = of
  // an organisation that does not take the way in which the session began is as good as not chosen
  const open = standing?.policy.signInMethods.includes(session.method) ? standing : null
  const mfaRequired = of.mfaEnabled && (of.mfaRequired || (open?.policy.mfaRequired ?? false))
  const reach = open ? reachOf(open.standing, of.proven) : of.proven ? 'ORGANISATION' : 'NONE'
  const only = reach === 'PROJECT' ? open?.standing.unprovenProjectId : null
  const owed = [...owedProof(reach, only === project?.id), ...owedFactor(of, mfaRequired)]
  const principal = owed.length ? null : open
  const authority = only && principal ? confinedTo(only, principal) : principal?.authority
  return {
    principal,
    authority: { confinedTo: null, ...(authority ?? NO_AUTHORITY) },
    tasks: [
      ...owed.filter(each => each !== 'PROVE_MFA'),
      ...(open ? [] : ['CHOOSE_ORGANISATION' as const]),
    ],
    owes: owed[0] ?? null,
    mfaRequired,
  }
}

function owedProof(reach: ReturnType<typeof reachOf>, inProject: boolean): Owed[] {
  return reach === 'ORGANISATION' || (reach === 'PROJECT' && inProject) ? [] : ['VERIFY_EMAIL']
}

function owedFactor({ session, user }: Standing, required: boolean): Owed[] {
  if (!required) return []
  if (!user.secondFactor) return ['ENROL_MFA']
  return session.mfaVerifiedAt ? [] : ['PROVE_MFA']
}

/** Who has yet to prove their address holds what the project gives them, and nothing of the organisation's. */
const confinedTo = (projectId: string, { authority }: PrincipalRows) => ({
  ...NO_AUTHORITY,
  ownCatalogue: authority.ownCatalogue,
  confinedTo: new Set([projectId]),
})
