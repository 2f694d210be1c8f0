import type { Work } from '../../access/work.ts'
import { findAccount, findAccountById, type Account } from '../../accounts/users/user.service.ts'
import { accountMayEnter, type AccountStanding } from '../../credentials/callers/standing.ts'
import { spendLink, type LiveLink } from '../../credentials/links/link.service.ts'
import type { TokenDelivery } from '../../credentials/sessions/session.type.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { tokenInvalid } from '../../shared/errors.ts'
import { proveFirst } from '../email-verification/first-proof.service.ts'
import { mailLink } from '../mail-requests/link-mail.ts'
import type { MailRequest } from '../mail-requests/mail-request.service.ts'
import { enter, type Entered } from '../sign-in/entry.service.ts'
import { findSignInPage } from './sign-in-page.ts'

/**
 * Mails a link that signs in, where the address is the login of somebody who may; as *system*. It opens the page of the
 * project that asked, where the account can enter that project already, and this server's own otherwise. None goes to
 * a login that an administrator changed and its owner has not confirmed.
 */
export async function mailMagicLink(work: Work, { email, projectId }: MailRequest): Promise<void> {
  const account = await findAccount(work, email)
  if (!account || !(await maySignIn(work, account))) return
  const page = projectId ? await findSignInPage(work, account.id, projectId) : null
  const link = { kind: 'MAGIC_LINK', email, place: page, page: page?.signInUrl } as const
  await mailLink(work, account, link, data => ({
    template: 'magicLink',
    data: { ...data, project: page && { name: page.name, organisation: page.organisation } },
  }))
}

async function maySignIn(work: Work, account: Account): Promise<boolean> {
  if (account.provenAt && !account.emailVerifiedAt) return false
  const standing = await firstRow<AccountStanding>(
    work.db,
    sql`select status, suspended_until as "suspendedUntil", locked_at as "lockedAt", deleted_at as "deletedAt"
      from user_account where id = ${account.id}`,
  )
  return standing != null && accountMayEnter(standing, work.now)
}

export interface MagicSignIn {
  token: string
  /** The organisation asked for. */
  wanted: string | null
  delivery: TokenDelivery
}

/**
 * Uses a mailed link up as a first factor; as *system*. It proves the mailbox: the first to do so voids what was set up
 * before, second factors included, before one is asked for. What came through a project's page acts in its
 * organisation only.
 *
 * @throws {AppError} `BAD_USER_INPUT` / `TOKEN_INVALID`, or `UNAUTHENTICATED` for somebody who may not come in.
 */
export async function signInWithMagicLink(
  work: Work,
  { token, wanted, delivery }: MagicSignIn,
): Promise<Entered> {
  const { link, account } = await takeLink(work, token, ['input', 'token'])
  if (!account.provenAt) await proveFirst(work, account.id, { passwordHash: null })
  return enter(work, {
    userId: account.id,
    wanted: wanted ?? link.organisationId,
    method: 'MAGIC_LINK',
    confinedTo: link.organisationId,
    delivery,
  })
}

async function takeLink(
  work: Work,
  token: string,
  path: string[],
): Promise<{ link: LiveLink; account: Account }> {
  const link = await spendLink(work, token, 'MAGIC_LINK', path)
  const account = await findAccountById(work, link.userId)
  const stale =
    !account || account.email !== link.email || (account.provenAt && !account.emailVerifiedAt)
  if (stale) throw tokenInvalid(path)
  return { link, account }
}

/**
 * Uses a mailed link up as proof that the person in a session is still there; as *system*. One that came through a
 * project's page proves nothing to a session which is not confined to that organisation.
 *
 * @throws {AppError} `BAD_USER_INPUT` / `TOKEN_INVALID`, also for a link of somebody else.
 */
export async function proveByMagicLink(
  work: Work,
  person: { userId: string; sessionId: string },
  token: string,
  path: string[],
): Promise<void> {
  const { link, account } = await takeLink(work, token, path)
  const session = await firstRow<{ confinedTo: string | null }>(
    work.db,
    sql`select confined_to_id as "confinedTo" from session where id = ${person.sessionId}`,
  )
  const strange = link.organisationId && link.organisationId !== session?.confinedTo
  if (account.id !== person.userId || strange) throw tokenInvalid(path)
  if (!account.provenAt)
    await proveFirst(work, account.id, { passwordHash: null, keep: person.sessionId })
}
