import { createApiKeyLoaders } from '../credentials/api-keys/api-key.loaders.ts'
import { createServiceAccountLoaders } from '../credentials/service-accounts/service-account.loaders.ts'
import { createMfaLoaders, type Accounts } from '../credentials/totp/mfa.loaders.ts'
import { SYSTEM } from '../database/context.ts'
import { createSessionLoaders } from '../credentials/sessions/session.loaders.ts'
import type { ReadIn } from '../database/loader.ts'
import { createLoginLoaders } from '../flows/email-change/login-edit.loaders.ts'
import { createInvitationLoaders } from '../flows/invitations/invitation.loaders.ts'
import { createAccessReviewLoaders } from '../operations/access-reviews/access-review.loaders.ts'
import { createWebhookLoaders } from '../operations/webhooks/webhook.loaders.ts'
import { createWorkflowLoaders } from '../operations/workflows/workflow.loaders.ts'
import { createMemberLoaders } from '../tenancy/memberships/member.loaders.ts'
import { createOrganisationLoaders } from '../tenancy/organisations/organisation.loaders.ts'
import { createPolicyLoaders } from '../tenancy/policies/policy.loaders.ts'
import { createProjectLoaders } from '../tenancy/projects/project.loaders.ts'
import { createRoleLoaders } from '../tenancy/roles/role.loaders.ts'

const GROUPS = [
  createOrganisationLoaders,
  createRoleLoaders,
  createProjectLoaders,
  createMemberLoaders,
  createServiceAccountLoaders,
  createApiKeyLoaders,
  createInvitationLoaders,
  createLoginLoaders,
  createMfaLoaders,
  createPolicyLoaders,
  createSessionLoaders,
  createWebhookLoaders,
  createAccessReviewLoaders,
  createWorkflowLoaders,
] as const

type Together<Groups extends readonly unknown[]> = Groups extends readonly [
  (read: ReadIn, accounts: Accounts) => infer Group,
  ...infer Rest,
]
  ? Group & Together<Rest>
  : unknown

/** Every batched read, by name. */
export type Loaders = Together<typeof GROUPS>

class LazyLoaders {
  readonly #read: ReadIn
  readonly #accounts: Accounts
  readonly #groups: Record<string, unknown>[] = []

  constructor(read: ReadIn, accounts: Accounts) {
    this.#read = read
    this.#accounts = accounts
  }

  loader(group: number, name: string): unknown {
    return (this.#groups[group] ??= GROUPS[group]!(this.#read, this.#accounts))[name]
  }
}

// An operation uses few of them, and most use none: those of a noun are made when the first is asked for.
GROUPS.forEach((create, group) => {
  const nothing = { rows: async () => [] }
  const nobody = { contextOf: () => SYSTEM, read: () => nothing }
  for (const name of Object.keys(create(() => nothing, nobody)))
    Object.defineProperty(LazyLoaders.prototype, name, {
      get(this: LazyLoaders) {
        return this.loader(group, name)
      },
    })
})

/** The batched reads of one operation. */
export const createLoaders = (read: ReadIn, accounts: Accounts): Loaders =>
  new LazyLoaders(read, accounts) as never
