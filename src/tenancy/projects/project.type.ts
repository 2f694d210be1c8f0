import { Field, ID, InputType, ObjectType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime, WebUrl } from '../../shared/scalars.ts'

/** Rules for joining a project without being asked. */
@ObjectType({
  description: 'Rules for joining a project without being asked.',
  simpleResolvers: true,
})
export class RegistrationPolicy {
  organisationId!: string
  defaultRoleId!: string | null

  @Field(() => Boolean)
  enabled!: boolean

  @Field(() => [String], { description: 'Only these mail domains may register; empty means any.' })
  allowedEmailDomains!: string[]

  @Field(() => Boolean, { description: 'Hold newcomers back until their address is confirmed.' })
  emailVerificationRequired!: boolean
}

/** A separate space of data inside an organisation, with its own roles and its own door. */
@ObjectType({
  description:
    'A separate space of data inside an organisation, with its own roles and its own door.',
  implements: [Node],
  simpleResolvers: true,
})
export class Project {
  @Field(() => ID)
  id!: string

  organisationId!: string
  sortName!: string
  deletedAt!: Instant | null
  registrationEnabled!: boolean
  registrationDefaultRoleId!: string | null
  registrationAllowedEmailDomains!: string[]
  registrationEmailVerificationRequired!: boolean

  @Field(() => String)
  name!: string

  @Field(() => String)
  slug!: string

  @Field(() => String, { nullable: true })
  description!: string | null

  @Field(() => WebUrl, {
    nullable: true,
    description:
      "Page of your app that mailed sign-in links of people who can already enter this project open, with the token added as `token`. Null for this server's own page.",
  })
  signInUrl!: string | null

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime)
  updatedAt!: Instant
}

/** A principal's place in a project. */
@ObjectType({
  description: `A principal's place in a project.`,
  implements: [Node],
  simpleResolvers: true,
})
export class ProjectAccess {
  @Field(() => ID)
  id!: string

  organisationId!: string
  projectId!: string
  principalId!: string
  roleId!: string

  @Field(() => DateTime)
  createdAt!: Instant
}

/** The project as it now stands. */
@ObjectType({ description: 'The project as it now stands.', simpleResolvers: true })
export class ProjectPayload {
  @Field(() => Project)
  project!: Project
}

/** Changes to the rules for registering oneself. */
@InputType({ description: 'Changes to the rules for registering oneself.' })
export class RegistrationPolicyInput {
  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null

  @Field(() => ID, { nullable: true })
  defaultRoleId?: string | null

  @Field(() => [String], { nullable: true })
  allowedEmailDomains?: string[] | null

  @Field(() => Boolean, { nullable: true })
  emailVerificationRequired?: boolean | null
}

/** A project to open. */
@InputType({ description: 'A project to open.' })
export class CreateProjectInput {
  @Field(() => String)
  name!: string

  @Field(() => String, { nullable: true, description: 'Derived from the name when left out.' })
  slug?: string | null

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => WebUrl, { nullable: true })
  signInUrl?: string | null

  @Field(() => RegistrationPolicyInput, { nullable: true })
  registration?: RegistrationPolicyInput | null
}

/** A project and the role to hold in it. */
@InputType({ description: 'A project and the role to hold in it.' })
export class ProjectAccessInput {
  @Field(() => ID)
  projectId!: string

  @Field(() => ID)
  roleId!: string
}

export const ProjectConnection = connectionTypes('Project', () => Project, {
  page: 'A page of projects.',
  edge: 'A project and its position in the list.',
})
export const ProjectAccessConnection = connectionTypes('ProjectAccess', () => ProjectAccess, {
  page: 'A page of places in projects.',
  edge: 'A place in a project and its position in the list.',
})
/** Changes to a project. */
@InputType({ description: 'Changes to a project.' })
export class UpdateProjectInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => String, { nullable: true })
  slug?: string | null

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => WebUrl, { nullable: true })
  signInUrl?: string | null

  @Field(() => RegistrationPolicyInput, { nullable: true })
  registration?: RegistrationPolicyInput | null
}

/** Who, where and as what. */
@InputType({ description: 'Who, where and as what.' })
export class GrantProjectAccessInput {
  @Field(() => ID)
  principalId!: string

  @Field(() => ID)
  projectId!: string

  @Field(() => ID)
  roleId!: string
}

/** The project access as it now stands. */
@ObjectType({ description: 'The project access as it now stands.', simpleResolvers: true })
export class ProjectAccessPayload {
  @Field(() => ProjectAccess)
  projectAccess!: ProjectAccess
}
