import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { transact, type Work } from '../../access/work.ts'
import { readName } from '../../accounts/users/user.service.ts'
import { SYSTEM } from '../../database/context.ts'
import {
  acceptInvitation,
  declineInvitation,
  type Acceptance,
} from '../../flows/invitations/acceptance.service.ts'
import { passwordRulesFor, previewInvitation } from '../../flows/invitations/preview.service.ts'
import { provePassword } from '../../flows/sign-in/sign-in.service.ts'
import type { Node } from '../../graphql/context.ts'
import { AppError } from '../../shared/errors.ts'
import { requestInfo } from '../authenticate.ts'
import { faultsIn, type Fault } from './invitation-faults.ts'
import { INVITATION_PATH, invitationForm } from './invitation-form.ts'
import { fieldOf } from './page-guard.ts'
import { notice, sendPage, wordsOf } from './page-layout.ts'

const ACCEPTED_PATH = `${INVITATION_PATH}/done`
const DECLINED_PATH = `${INVITATION_PATH}/declined`
const BODY_LIMIT = 20_000

/** One answer to an invitation, on its way. */
interface Visit {
  node: Node
  request: FastifyRequest
  token: string
  now: Date
}

/**
 * The page on which an invitation's link lands. Looking at it changes nothing; its buttons accept and decline. It
 * starts no session: whoever has joined signs in where the application says.
 */
export function registerInvitationPage(app: FastifyInstance, node: Node): void {
  app.get<{ Querystring: { token?: unknown } }>(INVITATION_PATH, (request, reply) => {
    const { token } = request.query
    const text = typeof token === 'string' ? token : ''
    return showForm({ node, request, token: text, now: node.clock() }, reply)
  })

  app.post(
    INVITATION_PATH,
    {
      bodyLimit: BODY_LIMIT,
      preHandler: (request, reply, done) => app.csrfProtection(request, reply, done),
    },
    async (request, reply) => {
      const visit = { node, request, token: fieldOf(request, 'token'), now: node.clock() }
      if (fieldOf(request, 'answer') === 'decline') {
        await asSystem(visit, work => declineInvitation(work, visit.token))
        return reply.redirect(DECLINED_PATH, 303)
      }
      const faults = await accept(visit)
      if (faults.length) return showForm(visit, reply.code(422), faults)
      return reply.redirect(ACCEPTED_PATH, 303)
    },
  )

  app.get(ACCEPTED_PATH, (request, reply) => {
    const words = wordsOf(request)
    return sendPage(reply, words, notice(words.accepted.title, words.accepted.text))
  })

  app.get(DECLINED_PATH, (request, reply) => {
    const words = wordsOf(request)
    return sendPage(reply, words, notice(words.declined.title, words.declined.text))
  })
}

/** Shows who invites whom; after a fault with the names as typed, never with the password. */
async function showForm(
  { node, request, token, now }: Visit,
  reply: FastifyReply,
  faults: Fault[] = [],
): Promise<FastifyReply> {
  const { system } = node.database.store
  const preview = await previewInvitation(system, token, now)
  const rule = await passwordRulesFor(system, token, now, [])
  const typed = {
    firstName: fieldOf(request, 'firstName'),
    lastName: fieldOf(request, 'lastName'),
  }
  const words = wordsOf(request)
  const form = { preview, token, csrf: reply.generateCsrf(), rule, typed, faults }
  return sendPage(reply, words, invitationForm(words, form))
}

/** Accepts, unless something typed is at fault: then it says what. */
async function accept(visit: Visit): Promise<Fault[]> {
  const { system } = visit.node.database.store
  const { signInRequired, email } = await previewInvitation(system, visit.token, visit.now)
  return signInRequired ? acceptAsOwner(visit, email) : acceptAsNewcomer(visit)
}

/** For the address's proven account: its password is asked for, and never replaced. */
async function acceptAsOwner(visit: Visit, email: string): Promise<Fault[]> {
  const password = fieldOf(visit.request, 'password')
  if (!password) return [{ field: 'password', reason: 'REQUIRED' }]
  const userId = await proveOwner(visit, email, password)
  if (!userId) return [{ field: 'password', reason: 'CREDENTIALS_INVALID' }]
  await join(visit, { signedInAs: userId, newAccount: null })
  return []
}

async function proveOwner(
  { node, request, now }: Visit,
  email: string,
  password: string,
): Promise<string | null> {
  const { system } = node.database.store
  const tools = { system, hasher: node.hasher, request: requestInfo(request), now }
  try {
    return (await provePassword(tools, email, password, null)).userId
  } catch (error) {
    if (error instanceof AppError && error.code === 'UNAUTHENTICATED') return null
    throw error
  }
}

async function acceptAsNewcomer(visit: Visit): Promise<Fault[]> {
  const { node, request, token, now } = visit
  const typed = {
    firstName: fieldOf(request, 'firstName'),
    lastName: fieldOf(request, 'lastName'),
    password: fieldOf(request, 'password'),
  }
  const { firstName, lastName } = typed
  const rules = await passwordRulesFor(node.database.store.system, token, now, [
    firstName,
    lastName,
  ])
  const faults = faultsIn(typed, rules)
  if (faults.length) return faults
  const passwordHash = await node.hasher.hash(typed.password)
  await join(visit, { signedInAs: null, newAccount: { ...readName(typed, []), passwordHash } })
  return []
}

const join = (visit: Visit, who: Pick<Acceptance, 'signedInAs' | 'newAccount'>) =>
  asSystem(visit, work =>
    acceptInvitation(work, { ...who, token: visit.token, delivery: 'BODY', startSession: false }),
  )

const asSystem = <Result>(
  { node, request, now }: Visit,
  unit: (work: Work) => Promise<Result>,
): Promise<Result> =>
  transact(
    {
      orm: node.database.orm,
      context: SYSTEM,
      viewer: null,
      now,
      request: requestInfo(request),
      server: node.server,
    },
    unit,
  )
