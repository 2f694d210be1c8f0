import { Arg, Args, ArgsType, Ctx, Field, ID, Mutation, Resolver } from 'type-graphql'
import { inSession } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { actOnMembers } from '../../flows/members/acts.service.ts'
import { addPeople, type Newcomer } from '../../flows/members/add-people.service.ts'
import { withinHourlyLimit } from '../../flows/members/additions.ts'
import { AddMemberInput, InviteMemberInput } from '../../flows/members/members.type.ts'
import { readReason } from '../../flows/members/reason.ts'
import type { Context } from '../../graphql/context.ts'
import type { Outcome } from '../../shared/outcome.ts'
import { reserveLoginEdits } from '../../flows/email-change/login-edit-limit.ts'
import { changeMembersAndLogins } from '../../flows/email-change/login-edit.service.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import { ALONE } from '../audit/refusal-topics.ts'
import { inBulk, mustBeFew, type BulkOptions, type Made, type Placed } from './bulk.service.ts'
import { BulkErrorPolicy, BulkMemberPayload, MemberAction, UpdateMemberRow } from './bulk.type.ts'
import { resendInvitations } from './resend.service.ts'

@ArgsType()
class BulkArgs {
  @Field(() => BulkErrorPolicy, { defaultValue: 'ABORT' })
  onError!: BulkErrorPolicy

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Report what would happen and change nothing.',
  })
  dryRun!: boolean
}

/** Adds or invites, within what the organisation may add in an hour. */
function bring<Row>(
  context: Context,
  options: BulkOptions<Row>,
  newcomerOf: (placed: Placed<Row>) => Newcomer,
): Promise<BulkMemberPayload> {
  mustBeFew(options)
  return withinHourlyLimit(
    context,
    options.rows.length,
    () => inBulk(context, options, (work, rows) => addPeople(work, rows.map(newcomerOf))),
    ({ applied, succeeded }) => (applied ? succeeded : 0),
  )
}

/** Rows that come to a member alone. */
const asMade = (outcomes: Outcome<Member | null>[]): Outcome<Made>[] =>
  outcomes.map(outcome =>
    'done' in outcome ? { done: { member: outcome.done, invitationUrl: null } } : outcome,
  )

@Resolver()
export class BulkResolver {
  @Mutation(() => BulkMemberPayload, {
    nullable: true,
    description: 'Add up to 500 people at once. Needs `manageUser`.',
  })
  async addMembers(
    @Arg('rows', () => [AddMemberInput]) rows: AddMemberInput[],
    @Args(() => BulkArgs) args: BulkArgs,
    @Ctx() context: Context,
  ): Promise<BulkMemberPayload> {
    const options: BulkOptions<AddMemberInput> = {
      rows,
      argument: 'rows',
      ...args,
      call: 'addMembers',
      actOf: input => ({ mutation: 'addMember', args: { input } }),
    }
    return bring(context, options, ({ row, path }) => ({ how: 'ADD', input: row, path }))
  }

  @Mutation(() => BulkMemberPayload, {
    nullable: true,
    description: 'Invite up to 500 people at once. Needs `manageUser`.',
  })
  async inviteMembers(
    @Arg('rows', () => [InviteMemberInput]) rows: InviteMemberInput[],
    @Args(() => BulkArgs) args: BulkArgs,
    @Ctx() context: Context,
  ): Promise<BulkMemberPayload> {
    const options: BulkOptions<InviteMemberInput> = {
      rows,
      argument: 'rows',
      ...args,
      call: 'inviteMembers',
      actOf: input => ({ mutation: 'inviteMember', args: { input } }),
    }
    return bring(context, options, ({ row, path }) => ({ how: 'INVITE', input: row, path }))
  }

  @Mutation(() => BulkMemberPayload, {
    nullable: true,
    description: 'Change up to 500 members at once, each in its own way. Needs `manageUser`.',
  })
  async updateMembers(
    @Arg('rows', () => [UpdateMemberRow]) rows: UpdateMemberRow[],
    @Args(() => BulkArgs) args: BulkArgs,
    @Ctx() context: Context,
  ): Promise<BulkMemberPayload> {
    const options: BulkOptions<UpdateMemberRow> = {
      rows,
      argument: 'rows',
      ...args,
      memberOf: row => row.id,
      call: 'updateMembers',
      actOf: row => ({ mutation: 'updateMember', args: { ...row } }),
    }
    mustBeFew(options)
    const logins = rows.filter(({ input }) => input.email !== undefined).length
    await reserveLoginEdits(context, logins)
    return inBulk(context, options, async (work, placed) =>
      asMade(
        await changeMembersAndLogins(
          work,
          placed.map(({ row, path }) => ({ ...row, path: [...path, 'input'] })),
        ),
      ),
    )
  }

  @Mutation(() => BulkMemberPayload, {
    nullable: true,
    description: 'Do one thing to up to 500 members. Needs `manageUser`.',
  })
  async applyMemberAction(
    @Arg('ids', () => [ID]) ids: string[],
    @Arg('action', () => MemberAction) action: MemberAction,
    @Args(() => BulkArgs) args: BulkArgs,
    @Ctx() context: Context,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
  ): Promise<BulkMemberPayload> {
    const options: BulkOptions<string> = {
      rows: ids,
      argument: 'ids',
      ...args,
      memberOf: id => id,
      call: 'applyMemberAction',
      actOf: id => ({ mutation: ALONE[action], args: {}, target: { kind: 'Member', id } }),
    }
    mustBeFew(options)
    // what concerns all rows is refused for all
    if (action === 'REVOKE_SESSIONS') inSession(context.viewer)
    const words = readReason(reason ?? null)
    return inBulk(context, options, (work, placed) =>
      apply(
        work,
        action,
        placed.map(({ row }) => row),
        words,
      ),
    )
  }
}

async function apply(
  work: Work,
  action: MemberAction,
  ids: string[],
  reason: string | null,
): Promise<Outcome<Made>[]> {
  if (action === 'RESEND_INVITATION') return resendInvitations(work, ids)
  const outcomes = await actOnMembers(work, action, ids, { reason })
  return asMade(
    outcomes.map(outcome =>
      'done' in outcome ? { done: action === 'REMOVE' ? null : outcome.done.member } : outcome,
    ),
  )
}
