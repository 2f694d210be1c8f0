import type { Viewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { findAccountById, fullName, type Account } from '../../accounts/users/user.service.ts'
import { accountMayEnter, lockAccount } from '../../credentials/callers/standing.ts'
import { findLink, spendLink, type LiveLink } from '../../credentials/links/link.service.ts'
import { readPasswordRules } from '../../credentials/passwords/password-rules.service.ts'
import { mustBeAcceptable } from '../../credentials/passwords/password.service.ts'
import { mustBeOwnSession } from '../../credentials/sessions/confined.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput, forbidden, tokenInvalid, unauthenticated } from '../../shared/errors.ts'
import { admit } from '../registration/admission.service.ts'
import { findOpenProject, isWelcome } from '../registration/open-project.ts'
import type { HashTools } from '../password-reset/password-reset.service.ts'
import { proveFirst } from './first-proof.service.ts'

const TOKEN = ['input', 'token']
const PASSWORD = ['input', 'password']

/** Whoever confirms; without a session on a page, where they have just proven themselves. */
type Confirmer = Pick<Viewer, 'userId' | 'sessionId'>

/** A token from a confirmation mail, and the password that it buys whoever proves the mailbox first. */
export interface Verification {
  token: string
  password: string | null
}

/**
 * Holds the password against the policy and hashes it, outside any transaction: a hash is slow on purpose. Null where
 * none was given.
 *
 * @throws {AppError} `BAD_USER_INPUT`: `TOKEN_INVALID`, every rule that the password does not meet, or a password for
 * an account that has its own.
 */
export async function hashFirstPassword(
  { system, hasher, now }: HashTools,
  { token, password }: Verification,
): Promise<string | null> {
  const link = await findLink({ db: system, now }, token, 'VERIFY_EMAIL')
  if (!link) throw tokenInvalid(TOKEN)
  if (password == null) return null
  if (await isProven(system, link.userId))
    throw badInput(
      PASSWORD,
      'POLICY_FORBIDS',
      'This account has its password already: leave it out.',
    )
  const { userId, organisationId } = link
  mustBeAcceptable(password, await readPasswordRules(system, { userId, organisationId }), PASSWORD)
  return hasher.hash(password)
}

/** Whether a mailbox of the account was proven before. */
export const isProven = async (system: Work['db'], userId: string): Promise<boolean> =>
  (await firstRow(
    system,
    sql`select id from user_account where id = ${userId} and proven_at is not null`,
  )) != null

/**
 * Confirms an address by a mailed link; as *system*. Whoever proves a mailbox first chooses the password, and all that
 * was set up before is void, except the session in which it happens. A login that an administrator changed is
 * confirmed in a session of that very account, and nothing else changes.
 *
 * @param viewer whoever is signed in.
 * @throws {AppError} `BAD_USER_INPUT` / `TOKEN_INVALID`, or `UNAUTHENTICATED`, `FORBIDDEN` / `POLICY_FORBIDS` without
 * the session that it takes.
 */
export async function verifyEmail(
  work: Work,
  viewer: Confirmer | null,
  token: string,
  passwordHash: string | null,
): Promise<{ email: string }> {
  const link = await spendLink(work, token, 'VERIFY_EMAIL', TOKEN)
  const account = await findAccountById(work, link.userId)
  if (!account || account.email !== link.email || account.emailVerifiedAt) throw tokenInvalid(TOKEN)
  if (account.provenAt) {
    await mustBeOwner(work, viewer, account)
    await confirm(work, account)
  } else {
    const keep = viewer?.userId === account.id ? viewer.sessionId : null
    await proveFirst(work, account.id, { passwordHash, keep })
    await register(work, account, link)
  }
  return { email: account.email }
}

async function mustBeOwner(work: Work, viewer: Confirmer | null, account: Account): Promise<void> {
  if (!viewer)
    throw unauthenticated(
      'CREDENTIALS_INVALID',
      'This login was changed by an administrator. Sign in to the account, then confirm it.',
    )
  if (viewer.userId !== account.id)
    throw forbidden(
      'POLICY_FORBIDS',
      'This address belongs to another account. Sign in to that one, then confirm it.',
    )
  await mustBeOwnSession(work, viewer)
}

async function confirm(work: Work, account: Account): Promise<void> {
  await work.db.rows(
    sql`update user_account set email_verified_at = ${work.now}, updated_at = ${work.now} where id = ${account.id}`,
  )
  const name = fullName(account)
  await record(work, 'user.email_verified', {
    organisationId: null,
    target: { kind: 'User', id: account.id, name },
    actor: { userId: account.id, principalId: null, name },
  })
}

/** Lets into the project that the link speaks of, where it is still open to this address, and the account gets in at all. */
async function register(work: Work, account: Account, link: LiveLink): Promise<void> {
  const standing = await lockAccount(work, account.id)
  if (!standing || !accountMayEnter(standing, work.now)) return
  const project = link.projectId ? await findOpenProject(work.db, link.projectId) : null
  if (project && isWelcome(project, account.email)) await admit(work, project, account, true)
}
