import type { PermissionInfo } from '../../access/permissions.ts'
import { begunElsewhere, can, type Authority } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import {
  createAccount,
  findAccount,
  fullName,
  type Account,
} from '../../accounts/users/user.service.ts'
import { writeUserWords } from '../../accounts/users/user-words.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { revokeKeysOf } from '../../credentials/api-keys/api-key.service.ts'
import { authorityOf } from '../../credentials/callers/caller.ts'
import {
  accountMayEnter,
  type AccountStanding,
  lockAccount,
} from '../../credentials/callers/standing.ts'
import { mustBeLetIn } from '../../credentials/sessions/entry-rules.ts'
import { endSessionsOf, type RenewedSession } from '../../credentials/sessions/session.service.ts'
import type { TokenDelivery } from '../../credentials/sessions/session.type.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput, forbidden, tokenInvalid, unauthenticated } from '../../shared/errors.ts'
import { likedLanguage } from '../../shared/languages.ts'
import { endMembership, liftBars } from '../../tenancy/memberships/membership.service.ts'
import { readOrganisationPolicy } from '../../tenancy/policies/policy.ts'
import { ROLE_FIELDS } from '../../tenancy/roles/role.loaders.ts'
import type { Role } from '../../tenancy/roles/role.type.ts'
import { proveFirst } from '../email-verification/first-proof.service.ts'
import { enter } from '../sign-in/entry.service.ts'
import { mayOffer } from './offer.service.ts'
import { closeInvitation, lockByToken, type LinkedInvitation } from './invitation.service.ts'

const TOKEN = ['input', 'token']

export interface Acceptance {
  token: string
  /** The account whose owner accepts, where somebody is signed in. */
  signedInAs: string | null
  /** What a newcomer has chosen; the password hashed already, for that is slow. */
  newAccount: { firstName: string; lastName: string; passwordHash: string | null } | null
  delivery: TokenDelivery
  /** False where nobody would take the newcomer's first session up, such as on a page. Default: true. */
  startSession?: boolean
}

/**
 * Brings the membership behind a link to life; as *system*. The row is locked and closed once, so of any number of
 * acceptances one wins.
 *
 * A proven account must be signed in as that very address, and its password is never replaced. A mailed link proves
 * the mailbox, so a newcomer's address counts as proven and whatever an unproven account had before is void. A link
 * that was not mailed proves nothing and sets up only an account that nobody has used yet.
 */
export async function acceptInvitation(
  work: Work,
  acceptance: Acceptance,
): Promise<{ principalId: string; organisationId: string; session: RenewedSession | null }> {
  const invitation = await lockByToken(work, acceptance.token)
  if (!invitation) throw tokenInvalid(TOKEN)
  await mustStillBeOffered(work, invitation)
  const account = await findAccount(work, invitation.email)
  const newcomer = !account?.provenAt
  if (account && !newcomer) {
    mustBeOwner(account, acceptance.signedInAs)
    const { boundToId = null } = work.viewer ?? {}
    if (boundToId && boundToId !== invitation.organisationId) throw begunElsewhere()
  }
  if (account) mustBeLetIn(await lockAccount(work, account.id), work.now)
  const userId = newcomer ? await settle(work, invitation, account, acceptance) : account.id
  if (!(await closeInvitation(work, invitation.id, 'ACCEPTED'))) throw tokenInvalid(TOKEN)
  await enliven(work, invitation, userId)
  const session =
    newcomer && (acceptance.startSession ?? true)
      ? await firstSession(work, invitation, userId, acceptance)
      : null
  if (invitation.founderId) await handOver(work, invitation, invitation.founderId)
  return { principalId: invitation.principalId, organisationId: invitation.organisationId, session }
}

function mustBeOwner(account: Account, signedInAs: string | null): void {
  if (!signedInAs)
    throw unauthenticated(
      'CREDENTIALS_INVALID',
      'An account exists for this address. Sign in to it, then accept.',
    )
  if (signedInAs !== account.id)
    throw forbidden(
      'POLICY_FORBIDS',
      'This invitation is for another address. Sign in with that one, then accept.',
    )
}

/** Sets the newcomer's account up, or hands over one that nobody ever proved. */
async function settle(
  work: Work,
  invitation: LinkedInvitation,
  account: Account | undefined,
  acceptance: Acceptance,
) {
  const { newAccount } = acceptance
  if (!newAccount)
    throw badInput(
      ['input', 'newAccount'],
      'REQUIRED',
      'Choose a name and a password for the new account.',
    )
  if (!account)
    return createAccount(work, {
      email: invitation.email,
      ...newAccount,
      verified: invitation.mailed,
    })
  if (!invitation.mailed && (account.hasPassword || (await hasEntered(work, account.id))))
    throw unauthenticated(
      'CREDENTIALS_INVALID',
      'An account exists for this address. Ask for the invitation by mail.',
    )
  const { firstName, lastName, passwordHash } = newAccount
  await work.db.rows(sql`
    update user_account set first_name = ${firstName}, last_name = ${lastName}, password_hash = ${passwordHash},
      password_changed_at = ${passwordHash ? work.now : null}, locale = coalesce(${likedLanguage(work.request.acceptLanguage)}, locale),
      updated_at = ${work.now}
    where id = ${account.id}`)
  await writeUserWords(work, [account.id])
  // whatever was begun before the mailbox was proven was begun by somebody unknown
  if (invitation.mailed) await proveFirst(work, account.id, { passwordHash })
  return account.id
}

const hasEntered = async (work: Work, userId: string) =>
  (await firstRow(work.db, sql`select id from principal where user_id = ${userId} limit 1`)) != null

/**
 * The inviter's authority is asked for again: who was demoted or has left since cannot let anybody in. A member who
 * was locked before they came cannot come.
 */
async function mustStillBeOffered(work: Work, invitation: LinkedInvitation): Promise<void> {
  const waiting = await firstRow<{ lockedAt: string | null }>(
    work.db,
    sql`select locked_at as "lockedAt" from principal where id = ${invitation.principalId} and removed_at is null`,
  )
  if (!waiting) throw tokenInvalid(TOKEN)
  if (waiting.lockedAt)
    throw forbidden(
      'POLICY_FORBIDS',
      'The organisation has locked this membership. Ask it to lift the lock.',
    )
  if (!invitation.inviterId) return
  const authority = await authorityOfInviter(work, invitation, invitation.inviterId)
  if (
    !authority ||
    !can(authority, 'manageUser') ||
    !(await mayOffer(work, authority, invitation.principalId))
  )
    throw forbidden(
      'EXCEEDS_OWN_PERMISSIONS',
      'Whoever invited you may no longer do so. Ask for a new invitation.',
    )
}

interface InviterRow extends Role {
  membership: AccountStanding
  /** Null for service accounts. */
  account: AccountStanding | null
}

/** What an inviter may hand out today; null for one who left or is barred. */
async function authorityOfInviter(
  work: Work,
  { organisationId }: LinkedInvitation,
  principalId: string,
): Promise<Authority | null> {
  const role = await firstRow<InviterRow>(
    work.db,
    sql`select ${columns('r', ROLE_FIELDS)},
        jsonb_build_object('status', i.status, 'suspendedUntil', i.suspended_until, 'lockedAt', i.locked_at,
          'deletedAt', i.removed_at) as membership,
        case when u.id is not null then jsonb_build_object('status', u.status, 'suspendedUntil', u.suspended_until,
          'lockedAt', u.locked_at, 'deletedAt', u.deleted_at) end as account
      from principal i join role r on r.id = i.role_id left join user_account u on u.id = i.user_id
      where i.id = ${principalId}`,
  )
  // the stricter of the two counts
  const mayAct = [role?.membership, role?.account].every(
    each => !each || accountMayEnter(each, work.now),
  )
  if (!role || !mayAct) return null
  const ownCatalogue = await work.db.rows<PermissionInfo>(sql`
    select name, description, level, false as "builtIn" from permission where organisation_id = ${organisationId}`)
  const place = { organisationId, principalId, scopes: null, confinedTo: null }
  return { ...authorityOf({ role, ownCatalogue }, null), ...place }
}

async function enliven(work: Work, invitation: LinkedInvitation, userId: string): Promise<void> {
  await liftBars(work, invitation.organisationId, [userId])
  await work.db.rows(sql`
    update principal set user_id = ${userId}, status = 'ACTIVE', vouched = ${!invitation.mailed}, updated_at = ${work.now}
    where id = ${invitation.principalId}`)
  const person = await firstRow<{ firstName: string; lastName: string }>(
    work.db,
    sql`select first_name as "firstName", last_name as "lastName" from user_account where id = ${userId}`,
  )
  const name = person ? fullName(person) : invitation.email
  await record(work, 'member.joined', {
    organisationId: invitation.organisationId,
    target: { kind: 'Member', id: invitation.principalId, name },
    actor: { userId, principalId: invitation.principalId, name },
  })
}

/**
 * The newcomer's session, by whichever of the two that they have just proven the organisation takes: the password they
 * chose, or the mailed link. Null where it takes neither.
 */
async function firstSession(
  work: Work,
  { organisationId, mailed }: LinkedInvitation,
  userId: string,
  { newAccount, delivery }: Acceptance,
): Promise<RenewedSession | null> {
  const { signInMethods } = await readOrganisationPolicy(work.db, organisationId)
  const shown = [
    ...(newAccount?.passwordHash ? (['PASSWORD'] as const) : []),
    ...(mailed ? (['MAGIC_LINK'] as const) : []),
  ]
  const method = shown.find(each => signInMethods.includes(each))
  if (!method) return null
  const entry = { userId, wanted: organisationId, method, confinedTo: null, delivery }
  const entered = await enter(work, entry)
  return 'session' in entered ? entered.session : null
}

/**
 * Who founded the organisation for somebody else leaves it when that person arrives; not before somebody arrives as
 * an administrator, whose role may have been changed since.
 */
async function handOver(
  work: Work,
  invitation: LinkedInvitation,
  founderId: string,
): Promise<void> {
  const successor = await firstRow(
    work.db,
    sql`select m.id from principal m join role r on r.id = m.role_id where m.id = ${invitation.principalId}
      and (r.built_in or r.permissions @> array['manageUser', 'manageRole'])`,
  )
  if (!successor) return
  await endSessionsOf(work, founderId, 'the organisation was handed over')
  await endMembership(work, founderId)
  await revokeKeysOf(work, founderId)
  await record(work, 'member.removed', {
    organisationId: invitation.organisationId,
    target: { kind: 'Member', id: founderId },
    reason: 'The organisation was handed over to its administrator.',
  })
}

/** Turns an invitation down; as *system*. The waiting membership goes with it. */
export async function declineInvitation(work: Work, token: string): Promise<string> {
  const invitation = await lockByToken(work, token)
  if (!invitation || !(await closeInvitation(work, invitation.id, 'DECLINED')))
    throw tokenInvalid(['token'])
  await endMembership(work, invitation.principalId)
  await record(work, 'invitation.declined', {
    organisationId: invitation.organisationId,
    target: { kind: 'Invitation', id: invitation.id, name: invitation.email },
  })
  return invitation.email
}
