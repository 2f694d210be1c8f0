import { lockAccount } from '../../credentials/callers/standing.ts'
import type { Work } from '../../access/work.ts'
import type { Person } from '../../access/viewer.ts'
import {
  createAccount,
  findAccount,
  findAccountById,
  type Account,
} from '../../accounts/users/user.service.ts'
import { createLink } from '../../credentials/links/link.service.ts'
import { mustBeLetIn } from '../../credentials/sessions/entry-rules.ts'
import { mustBeOwnSession } from '../../credentials/sessions/confined.ts'
import { sql } from '../../database/sql.ts'
import { queueMail } from '../../outbox/mail/mail.service.ts'
import { conflict, forbidden, notFound, unauthenticated } from '../../shared/errors.ts'
import { newToken } from '../../shared/tokens.ts'
import type { ProjectAccess } from '../../tenancy/projects/project.type.ts'
import { mailConfirmation } from '../email-verification/verification-mail.ts'
import { admit, type NotAdmitted } from './admission.service.ts'
import { findOpenProject, mustBeWelcome, type OpenProject } from './open-project.ts'

/** Who registers; the password hashed already, for that is slow. */
export interface Registrant {
  email: string
  firstName: string
  lastName: string
  passwordHash: string | null
}

/**
 * Registers somebody with a project; as *system*. For a new address there is an account afterwards, which waits for
 * its proof or may enter that one project meanwhile; for a taken one nothing changes, and its owner is told by mail. A
 * taken address takes the same statements as a new one: what a new account would need is done, and undone.
 */
export async function signUp(
  work: Work,
  project: OpenProject,
  registrant: Registrant,
): Promise<void> {
  const taken = await findAccount(work, registrant.email)
  const account = await attempt(work, !taken, async () => {
    const email = taken ? `${newToken()}@nobody.invalid` : registrant.email
    const id = await createAccount(work, { ...registrant, email, verified: false })
    if (!project.verificationRequired)
      await admit(work, project, { ...registrant, id, email }, false)
    return (await findAccountById(work, id))!
  })
  const owner = taken ?? account
  if (!owner.provenAt) return mailConfirmation(work, owner, { ...project })
  await attempt(work, false, () =>
    createLink(work, {
      userId: owner.id,
      kind: 'VERIFY_EMAIL',
      email: owner.email,
      place: project,
    }),
  )
  await tell(work, owner, project)
}

/** Does something and, unless it is wanted, undoes it. */
async function attempt<Result>(
  work: Work,
  wanted: boolean,
  step: () => Promise<Result>,
): Promise<Result> {
  await work.db.rows(sql`savepoint attempt`)
  const result = await step()
  await work.db.rows(wanted ? sql`release savepoint attempt` : sql`rollback to savepoint attempt`)
  return result
}

/** The answer to what was asked, in the place of the link: no notice that somebody may not want. */
const tell = (
  work: Work,
  { id: userId, email, locale, firstName }: Account,
  project: OpenProject,
) =>
  queueMail(work, {
    to: email,
    locale,
    reader: { userId, categories: [] },
    mail: {
      template: 'addressRegistered',
      data: { firstName, project: project.name, organisation: project.organisation },
    },
  })

const REFUSALS: Record<NotAdmitted, () => Error> = {
  INVITED: () =>
    conflict('STATE_MISMATCH', 'This organisation has invited you. Accept the invitation first.'),
  BARRED: () =>
    forbidden(
      'POLICY_FORBIDS',
      'This organisation has closed itself to you. Only being added or invited leads back.',
    ),
  THERE: () => conflict('ALREADY_EXISTS', 'You can enter this project already.'),
}

/**
 * Lets the account in use into a further project that is open to it; as *system*.
 *
 * @throws {AppError} `NOT_FOUND` for a project that is not open, `FORBIDDEN` / `POLICY_FORBIDS` for who may not join,
 * `CONFLICT` for who is invited or there already.
 */
export async function joinProject(
  work: Work,
  person: Person,
  projectId: string,
): Promise<ProjectAccess> {
  const project = await findOpenProject(work.db, projectId)
  if (!project) throw notFound('project')
  const standing = await lockAccount(work, person.userId)
  await mustBeOwnSession(work, person)
  mustBeLetIn(standing, work.now)
  const account = await findAccountById(work, person.userId)
  if (!account) throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  if (!account.emailVerifiedAt)
    throw forbidden('POLICY_FORBIDS', 'Confirm your address first, by the link mailed to you.')
  mustBeWelcome(project, account.email)
  const admitted = await admit(work, project, account, true)
  if (typeof admitted === 'string') throw REFUSALS[admitted]()
  return admitted
}
