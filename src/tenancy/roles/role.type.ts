import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'

/** One thing that can be allowed. Roles collect them; API keys take a few of them as scopes. */
@ObjectType({
  description:
    'One thing that can be allowed. Roles collect them; API keys take a few of them as scopes.',
  simpleResolvers: true,
})
export class Permission {
  @Field(() => String, { description: 'Its identity, such as `manageUser`.' })
  name!: string

  @Field(() => String)
  description!: string

  @Field(() => AccessLevel)
  level!: AccessLevel

  @Field(() => Boolean, {
    description: 'False for permissions defined by the organisation for its own apps.',
  })
  builtIn!: boolean
}

/** How far a role or permission reaches. */
export const AccessLevel = enumOf('ORGANISATION', 'PROJECT')
export type AccessLevel = keyof typeof AccessLevel
registerEnumType(AccessLevel, {
  name: 'AccessLevel',
  description: 'How far a role or permission reaches.',
})

/** Which rows of the member list a role can see. */
export const MemberVisibility = enumOf('ORGANISATION', 'SHARED_PROJECTS', 'SELF')
export type MemberVisibility = keyof typeof MemberVisibility
registerEnumType(MemberVisibility, {
  name: 'MemberVisibility',
  description: 'Which rows of the member list a role can see.',
  valuesConfig: {
    ORGANISATION: { description: 'Everyone in the organisation.' },
    SHARED_PROJECTS: { description: 'Those who share a project, and oneself.' },
    SELF: { description: 'Only oneself.' },
  },
})

/** A named set of permissions. Interfaces may call it a profile. */
@ObjectType({
  description: 'A named set of permissions. Interfaces may call it a profile.',
  implements: [Node],
  simpleResolvers: true,
})
export class Role {
  @Field(() => ID)
  id!: string

  organisationId!: string
  sortName!: string
  permissions!: string[]

  @Field(() => String)
  name!: string

  @Field(() => String, { nullable: true })
  description!: string | null

  @Field(() => AccessLevel, {
    description: 'Whether it is held in the organisation or in single projects.',
  })
  level!: AccessLevel

  @Field(() => MemberVisibility, { description: 'Which members its holders can see.' })
  visibility!: MemberVisibility

  @Field(() => Boolean, {
    description: 'True for roles that come with every organisation and cannot change.',
  })
  builtIn!: boolean

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime)
  updatedAt!: Instant
}

export const RoleConnection = connectionTypes('Role', () => Role, {
  page: 'A page of roles.',
  edge: 'A role and its position in the list.',
})
/** A role to define. */
@InputType({ description: 'A role to define.' })
export class CreateRoleInput {
  @Field(() => String)
  name!: string

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => AccessLevel, { description: '`ORGANISATION` or `PROJECT`. Cannot change later.' })
  level!: AccessLevel

  @Field(() => [String], { description: 'Names of permissions.' })
  permissions!: string[]

  @Field(() => MemberVisibility, { defaultValue: 'ORGANISATION' })
  visibility!: MemberVisibility
}

/** Changes to a role. */
@InputType({ description: 'Changes to a role.' })
export class UpdateRoleInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => [String], { nullable: true, description: 'The full new set of names.' })
  permissions?: string[] | null

  @Field(() => MemberVisibility, { nullable: true })
  visibility?: MemberVisibility | null
}

/** A permission of your own. */
@InputType({ description: 'A permission of your own.' })
export class CreatePermissionInput {
  @Field(() => String, {
    description: 'Letters, digits and dots, such as `invoice.approve`. Unique here.',
  })
  name!: string

  @Field(() => String)
  description!: string

  @Field(() => AccessLevel, { defaultValue: 'PROJECT' })
  level!: AccessLevel
}

/** The role as it now stands. */
@ObjectType({ description: 'The role as it now stands.', simpleResolvers: true })
export class RolePayload {
  @Field(() => Role)
  role!: Role
}

/** The permission as it now stands. */
@ObjectType({ description: 'The permission as it now stands.', simpleResolvers: true })
export class PermissionPayload {
  @Field(() => Permission)
  permission!: Permission
}
