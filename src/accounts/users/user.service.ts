import type { Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import type { Path } from '../../shared/errors.ts'
import { likedLanguage } from '../../shared/languages.ts'
import { readTitle } from '../../shared/titles.ts'
import { newId } from '../../shared/tokens.ts'
import { writeUserWords } from './user-words.ts'

/** What the system must know of an account before it decides. */
export interface Account {
  id: string
  email: string
  emailVerifiedAt: string | null
  /** When a mailbox of it was first proven; it stays, even where the login was edited since. */
  provenAt: string | null
  firstName: string
  lastName: string
  locale: string
  operator: boolean
  hasPassword: boolean
}

const ACCOUNT = sql`id, email, email_verified_at as "emailVerifiedAt", proven_at as "provenAt", first_name as "firstName",
  last_name as "lastName", locale, operator, password_hash is not null as "hasPassword"`

/** The account behind a login; as *system*. */
export const findAccount = (work: Work, email: string): Promise<Account | undefined> =>
  firstRow<Account>(
    work.db,
    sql`select ${ACCOUNT} from user_account where email = ${email} and deleted_at is null`,
  )

/** An account by its id; as *system*. */
export const findAccountById = (work: Work, id: string): Promise<Account | undefined> =>
  firstRow<Account>(
    work.db,
    sql`select ${ACCOUNT} from user_account where id = ${id} and deleted_at is null`,
  )

/**
 * The accounts behind some logins, by login, held against change for whoever is to be linked to them: one that is being
 * deleted must not become a member afterwards. As *system*.
 */
export async function findAccounts(work: Work, emails: string[]): Promise<Map<string, Account>> {
  const accounts = await work.db.rows<Account>(
    sql`select ${ACCOUNT} from user_account where email = any(${emails}::text[]) and deleted_at is null
      order by id for share`,
  )
  return new Map(accounts.map(account => [account.email, account]))
}

export interface NewAccount {
  email: string
  firstName: string
  lastName: string
  passwordHash: string | null
  /** Whether the mailbox has been proven. */
  verified: boolean
  operator?: boolean
}

/** Sets up an account, in the language of whoever asks; as *system*. The unique login decides between two who come at once. */
export async function createAccount(work: Work, account: NewAccount): Promise<string> {
  const id = newId()
  await work.db.rows(sql`
    insert into user_account (id, created_at, updated_at, email, email_verified_at, proven_at, first_name, last_name,
      password_hash, password_changed_at, operator, locale)
    values (${id}, ${work.now}, ${work.now}, ${account.email}, ${account.verified ? work.now : null},
      ${account.verified ? work.now : null},
      ${account.firstName}, ${account.lastName}, ${account.passwordHash},
      ${account.passwordHash ? work.now : null}, ${account.operator ?? false}, ${likedLanguage(work.request.acceptLanguage) ?? 'en'})`)
  await writeUserWords(work, [id])
  await record(work, 'user.created', {
    organisationId: null,
    target: { kind: 'User', id, name: fullName(account) },
    actor: { userId: id, principalId: null, name: fullName(account) },
  })
  return id
}

/** First and last name together; some people have a single one. */
export const fullName = (person: { firstName: string; lastName: string }): string =>
  `${person.firstName} ${person.lastName}`.trim()

/** A person's name as typed: one line each, the last one optional. */
export function readName(
  input: { firstName: string; lastName: string },
  path: Path,
): { firstName: string; lastName: string } {
  return {
    firstName: readTitle(input.firstName, [...path, 'firstName']),
    lastName: readTitle(input.lastName, [...path, 'lastName'], 0),
  }
}
