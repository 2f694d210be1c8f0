import type { Queries } from '../../database/sql.ts'
import {
  effectivePolicy,
  platformView,
  readOrganisationPolicy,
  readPlatform,
} from '../../tenancy/policies/policy.ts'
import { findOpenProject } from './open-project.ts'
import type { SignInOptions } from './registration.type.ts'

/**
 * What a sign-in page may offer; as *system*. A project that is closed to registration is as good as unknown, for ids
 * of others are not to be told from ids of none.
 */
export async function readSignInOptions(
  system: Queries,
  projectId: string | null,
): Promise<SignInOptions> {
  const platform = await readPlatform(system)
  const project = projectId ? await findOpenProject(system, projectId) : null
  if (!project) {
    const { password } = platformView(platform)
    return { methods: ['PASSWORD', 'MAGIC_LINK'], password, signUpOpen: false }
  }
  const own = await readOrganisationPolicy(system, project.organisationId)
  const { password, signInMethods } = effectivePolicy(platform, own)
  return { methods: signInMethods, password, signUpOpen: true }
}
