import { lockAccount } from '../callers/standing.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { tokenInvalid } from '../../shared/errors.ts'
import type { Config } from '../../shared/config.ts'
import { digest, newId, newToken } from '../../shared/tokens.ts'

export type LinkKind = 'VERIFY_EMAIL' | 'MAGIC_LINK' | 'PASSWORD_RESET' | 'EMAIL_CHANGE'

/** The pages of this server that the links open. */
export const LINK_PATHS: Record<LinkKind, string> = {
  VERIFY_EMAIL: '/verify-email',
  MAGIC_LINK: '/magic-link',
  PASSWORD_RESET: '/reset-password',
  EMAIL_CHANGE: '/change-email',
}

const LIFETIMES = {
  VERIFY_EMAIL: 'EMAIL_LINK_SECONDS',
  MAGIC_LINK: 'MAGIC_LINK_SECONDS',
  PASSWORD_RESET: 'PASSWORD_RESET_SECONDS',
  EMAIL_CHANGE: 'EMAIL_LINK_SECONDS',
} as const satisfies Record<LinkKind, keyof Config>

/** How long a link of a kind lives, in seconds. */
export const lifetimeOf = (kind: LinkKind, config: Config): number => config[LIFETIMES[kind]]

/** A project that a link speaks of. */
export interface LinkPlace {
  organisationId: string
  projectId: string
}

export interface NewLink {
  userId: string
  kind: LinkKind
  /** The mailbox it is sent to. */
  email: string
  place?: LinkPlace | null
  /** The page that it opens. Default: the one of this server for its kind. */
  page?: string
}

export interface MailedLink {
  url: string
  expiresAt: Date
}

/**
 * Makes a link and puts the ones of its kind before it out of use; as *system*. The row keeps the token's digest; the
 * token itself travels in the sealed mail and nowhere else.
 */
export async function createLink(work: Work, link: NewLink): Promise<MailedLink> {
  await lockAccount(work, link.userId)
  await closeLinks(work, link.userId, [link.kind])
  const { config } = work.server
  const token = newToken()
  const expiresAt = new Date(work.now.getTime() + lifetimeOf(link.kind, config) * 1000)
  const { organisationId = null, projectId = null } = link.place ?? {}
  await work.db.rows(sql`
    insert into link (id, created_at, user_id, kind, email, token_digest, organisation_id, project_id, expires_at)
    values (${newId()}, ${work.now}, ${link.userId}, ${link.kind}, ${link.email}, ${digest(token)}, ${organisationId},
      ${projectId}, ${expiresAt})`)
  const url = new URL(link.page ?? `${config.PUBLIC_URL}${LINK_PATHS[link.kind]}`)
  url.searchParams.set('token', token)
  return { url: url.href, expiresAt }
}

/** Puts links of a person out of use: all of them, unless kinds are named. As *system*. Answers those that worked. */
export const closeLinks = (work: Work, userId: string, kinds?: LinkKind[]) =>
  work.db.rows<{ id: string }>(sql`
    update link set spent_at = ${work.now} where user_id = ${userId} and spent_at is null
      and (${kinds ?? null}::text[] is null or kind = any(${kinds ?? null}::text[]))
    returning id`)

/** A link that still works. */
export interface LiveLink {
  id: string
  userId: string
  email: string
  organisationId: string | null
  projectId: string | null
}

const LIVE = sql`id, user_id as "userId", email, organisation_id as "organisationId", project_id as "projectId"`

/** Looks a link up without using it; as *system*. Undefined where it is wrong, spent, replaced or too old. */
export const findLink = (
  { db, now }: Pick<Work, 'db' | 'now'>,
  token: string,
  kind: LinkKind,
): Promise<LiveLink | undefined> =>
  firstRow<LiveLink>(
    db,
    sql`select ${LIVE} from link where token_digest = ${digest(token)} and kind = ${kind} and spent_at is null
      and expires_at > ${now}`,
  )

/**
 * Uses a link up; as *system*. Of any number who bring it at once one gets it. The account is locked first, as
 * wherever links are made, so that the two never wait for each other.
 *
 * @throws {AppError} `BAD_USER_INPUT` / `TOKEN_INVALID`.
 */
export async function spendLink(
  work: Work,
  token: string,
  kind: LinkKind,
  path: string[],
): Promise<LiveLink> {
  const found = await findLink(work, token, kind)
  if (!found) throw tokenInvalid(path)
  await lockAccount(work, found.userId)
  const spent = await firstRow<LiveLink>(
    work.db,
    sql`update link set spent_at = ${work.now} where id = ${found.id} and spent_at is null and expires_at > ${work.now}
      returning ${LIVE}`,
  )
  if (!spent) throw tokenInvalid(path)
  return spent
}
