import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'
import { enumOf } from '../../shared/enums.ts'

/** How a session began. */
export const SignInMethod = enumOf('PASSWORD', 'MAGIC_LINK')
export type SignInMethod = keyof typeof SignInMethod
registerEnumType(SignInMethod, {
  name: 'SignInMethod',
  description: 'How a session began.',
})

/** What makes a password acceptable. Length and a list of known-bad passwords do the work. */
@ObjectType({
  description:
    'What makes a password acceptable. Length and a list of known-bad passwords do the work.',
  simpleResolvers: true,
})
export class PasswordPolicy {
  @Field(() => Int)
  minLength!: number

  @Field(() => Boolean, {
    description: `Refuse passwords that are common, leaked, or made from the person's or organisation's name.`,
  })
  blockCommon!: boolean

  @Field(() => Int, {
    description:
      'How many kinds of character (lower, upper, digit, other) to insist on. Advised: 0.',
  })
  minCharacterKinds!: number
}

/** How long sessions live. */
@ObjectType({ description: 'How long sessions live.', simpleResolvers: true })
export class SessionPolicy {
  @Field(() => Int, { description: 'End a session after this long without a request.' })
  idleTimeoutMinutes!: number

  @Field(() => Int, { description: 'End a session this long after sign-in, however busy.' })
  lifetimeHours!: number

  @Field(() => Int, {
    description:
      'Beyond this many sessions of one person, counted in the organisation or on the platform, the oldest make way.',
  })
  maxPerUser!: number
}

/** Limits on API keys. */
@ObjectType({ description: 'Limits on API keys.', simpleResolvers: true })
export class ApiKeyPolicy {
  @Field(() => Int, { nullable: true, description: 'Longest a key may live; null for no limit.' })
  maxLifetimeDays!: number | null

  @Field(() => Boolean, { description: 'True when members may create keys for themselves.' })
  selfService!: boolean
}

/** An organisation's policies. They bind what acts in it and nothing elsewhere; where the platform is stricter, the platform holds. */
@ObjectType({
  description: `An organisation's policies. They bind what acts in it and nothing elsewhere; where the platform is stricter, the platform holds.`,
  simpleResolvers: true,
})
export class OrganisationSettings {
  organisationId!: string
  defaultRoleId!: string

  @Field(() => PasswordPolicy)
  password!: PasswordPolicy

  @Field(() => SessionPolicy)
  session!: SessionPolicy

  @Field(() => ApiKeyPolicy)
  apiKey!: ApiKeyPolicy

  @Field(() => [SignInMethod], { description: 'Ways to sign in that are good enough to act here.' })
  signInMethods!: SignInMethod[]

  @Field(() => Boolean)
  mfaRequired!: boolean

  @Field(() => Int, { description: 'How long an invitation stays open.' })
  invitationLifetimeHours!: number

  @Field(() => [String], {
    description:
      'Only people of these mail domains may be added, invited or register; empty means any.',
  })
  allowedEmailDomains!: string[]
}

/** Policies that bind every account and organisation. */
@ObjectType({
  description: 'Policies that bind every account and organisation.',
  simpleResolvers: true,
})
export class PlatformSettings {
  @Field(() => String, { description: 'Name shown in authenticator apps.' })
  mfaIssuer!: string

  @Field(() => Boolean, {
    description:
      'False when second factors are switched off for the whole installation. True by default.',
  })
  mfaEnabled!: boolean

  @Field(() => Boolean)
  mfaRequired!: boolean

  @Field(() => PasswordPolicy)
  password!: PasswordPolicy

  @Field(() => SessionPolicy)
  session!: SessionPolicy

  @Field(() => Int, {
    description: 'Failed sign-ins on one account from one source before growing delays set in.',
  })
  failedSignInLimit!: number

  @Field(() => Int, { description: 'How long failed sign-ins are remembered.' })
  failedSignInWindowMinutes!: number

  @Field(() => Boolean, { description: 'True when anyone signed in may found an organisation.' })
  organisationCreationOpen!: boolean
}

/** The settings as they now stand. */
@ObjectType({ description: 'The settings as they now stand.', simpleResolvers: true })
export class PlatformSettingsPayload {
  @Field(() => PlatformSettings)
  settings!: PlatformSettings
}

/** Changes to policies. */
@InputType({ description: 'Changes to policies.' })
export class UpdateOrganisationSettingsInput {
  @Field(() => PasswordPolicyInput, { nullable: true })
  password?: PasswordPolicyInput | null

  @Field(() => SessionPolicyInput, { nullable: true })
  session?: SessionPolicyInput | null

  @Field(() => ApiKeyPolicyInput, { nullable: true })
  apiKey?: ApiKeyPolicyInput | null

  @Field(() => [SignInMethod], { nullable: true })
  signInMethods?: SignInMethod[] | null

  @Field(() => Boolean, { nullable: true })
  mfaRequired?: boolean | null

  @Field(() => Int, { nullable: true })
  invitationLifetimeHours?: number | null

  @Field(() => [String], { nullable: true })
  allowedEmailDomains?: string[] | null

  @Field(() => ID, { nullable: true })
  defaultRoleId?: string | null
}

/** Changes to the password policy. */
@InputType({ description: 'Changes to the password policy.' })
export class PasswordPolicyInput {
  @Field(() => Int, { nullable: true })
  minLength?: number | null

  @Field(() => Boolean, { nullable: true })
  blockCommon?: boolean | null

  @Field(() => Int, { nullable: true })
  minCharacterKinds?: number | null
}

/** Changes to the session policy. */
@InputType({ description: 'Changes to the session policy.' })
export class SessionPolicyInput {
  @Field(() => Int, { nullable: true })
  idleTimeoutMinutes?: number | null

  @Field(() => Int, { nullable: true })
  lifetimeHours?: number | null

  @Field(() => Int, { nullable: true })
  maxPerUser?: number | null
}

/** Changes to the key policy. */
@InputType({ description: 'Changes to the key policy.' })
export class ApiKeyPolicyInput {
  @Field(() => Int, { nullable: true })
  maxLifetimeDays?: number | null

  @Field(() => Boolean, { nullable: true })
  selfService?: boolean | null
}

/** Changes to platform policies. */
@InputType({ description: 'Changes to platform policies.' })
export class UpdatePlatformSettingsInput {
  @Field(() => String, { nullable: true })
  mfaIssuer?: string | null

  @Field(() => Boolean, { nullable: true })
  mfaEnabled?: boolean | null

  @Field(() => Boolean, { nullable: true })
  mfaRequired?: boolean | null

  @Field(() => PasswordPolicyInput, { nullable: true })
  password?: PasswordPolicyInput | null

  @Field(() => SessionPolicyInput, { nullable: true })
  session?: SessionPolicyInput | null

  @Field(() => Int, { nullable: true })
  failedSignInLimit?: number | null

  @Field(() => Int, { nullable: true })
  failedSignInWindowMinutes?: number | null

  @Field(() => Boolean, { nullable: true })
  organisationCreationOpen?: boolean | null
}

/** The whole installation, as operators see it. */
@ObjectType({ description: 'The whole installation, as operators see it.', simpleResolvers: true })
export class Platform {
  // Everything in it is resolved; a type without a field of its own still needs a mark of what it is.
  readonly kind = 'platform'
}
