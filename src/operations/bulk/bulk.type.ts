import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'
import { enumOf } from '../../shared/enums.ts'
import { Problem } from '../../shared/problem.type.ts'
import { WebUrl } from '../../shared/scalars.ts'
import { Member, UpdateMemberInput } from '../../tenancy/memberships/member.type.ts'

/** What to do when a row of a bulk request fails. */
export const BulkErrorPolicy = enumOf('ABORT', 'CONTINUE')
export type BulkErrorPolicy = keyof typeof BulkErrorPolicy
registerEnumType(BulkErrorPolicy, {
  name: 'BulkErrorPolicy',
  description: 'What to do when a row of a bulk request fails.',
  valuesConfig: {
    ABORT: { description: 'Apply nothing and report every failing row.' },
    CONTINUE: { description: 'Apply the rows that are sound and report the others.' },
  },
})

/** Things that can be done to many members alike. */
export const MemberAction = enumOf(
  'LOCK',
  'UNLOCK',
  'SUSPEND',
  'DEACTIVATE',
  'ACTIVATE',
  'REMOVE',
  'REVOKE_SESSIONS',
  'RESEND_INVITATION',
)
export type MemberAction = keyof typeof MemberAction
registerEnumType(MemberAction, {
  name: 'MemberAction',
  description: 'Things that can be done to many members alike.',
})

/** One member and the changes to it. */
@InputType({ description: 'One member and the changes to it.' })
export class UpdateMemberRow {
  @Field(() => ID)
  id!: string

  @Field(() => UpdateMemberInput)
  input!: UpdateMemberInput
}

/** What became of one row. */
@ObjectType({ description: 'What became of one row.', simpleResolvers: true })
export class BulkMemberResult {
  @Field(() => Int, { description: 'Place of the row in the request, from 0.' })
  index!: number

  @Field(() => Member, {
    nullable: true,
    description: 'The member afterwards; null if the row failed or removed it.',
  })
  member!: Member | null

  @Field(() => WebUrl, {
    nullable: true,
    description: 'The invitation link, shown this once, where the row asked for no mail.',
  })
  invitationUrl!: string | null

  @Field(() => Problem, { nullable: true })
  problem!: Problem | null
}

/** The outcome of a bulk request, row by row. */
@ObjectType({
  description: 'The outcome of a bulk request, row by row.',
  simpleResolvers: true,
})
export class BulkMemberPayload {
  @Field(() => Boolean, {
    description: 'False after a dry run, or when `ABORT` held everything back.',
  })
  applied!: boolean

  @Field(() => Int)
  succeeded!: number

  @Field(() => Int)
  failed!: number

  @Field(() => [BulkMemberResult], { description: 'One per row, in the order given.' })
  results!: BulkMemberResult[]
}
