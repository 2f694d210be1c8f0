import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Work } from '../../access/work.ts'
import { readName } from '../../accounts/users/user.service.ts'
import {
  acceptInvitation,
  declineInvitation,
  type Acceptance,
} from '../../flows/invitations/acceptance.service.ts'
import { passwordRulesFor, previewInvitation } from '../../flows/invitations/preview.service.ts'
import type { Node } from '../../graphql/context.ts'
import { faultsIn, type Fault } from './invitation-faults.ts'
import { INVITATION_PATH, invitationForm } from './invitation-form.ts'
import { registerForm } from './link-page.ts'
import { fieldOf } from './page-guard.ts'
import { notice, sendPage, wordsOf } from './page-layout.ts'
import { proveOwner, spendProof } from './page-proof.ts'
import { inPlaceOf } from './page-refusals.ts'
import { asSystem, systemOf, visitOf, type Visit } from './page-visit.ts'

const ACCEPTED_PATH = `${INVITATION_PATH}/done`
const DECLINED_PATH = `${INVITATION_PATH}/declined`

/**
 * The page on which an invitation's link lands. Looking at it changes nothing; its buttons accept and decline. It
 * starts no session: whoever has joined signs in where the application says.
 */
export function registerInvitationPage(app: FastifyInstance, node: Node): void {
  app.get(INVITATION_PATH, (request, reply) => showForm(visitOf(node, request, reply)))

  registerForm(app, node, INVITATION_PATH, async visit => {
    const { request, reply, token } = visit
    if (fieldOf(request, 'answer') === 'decline') {
      await inPlaceOf(visit, 'declineInvitation', () =>
        asSystem(visit, work => declineInvitation(work, token)),
      )
      return reply.redirect(DECLINED_PATH, 303)
    }
    const faults = await inPlaceOf(visit, 'acceptInvitation', () => accept(visit))
    if (faults.length) return showForm(visit, faults)
    return reply.redirect(ACCEPTED_PATH, 303)
  })

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
async function showForm(visit: Visit, faults: Fault[] = []): Promise<FastifyReply> {
  const { request, reply, token, now } = visit
  const system = systemOf(visit)
  const preview = await previewInvitation(system, token, now)
  const rule = await passwordRulesFor(system, token, now, [])
  const typed = {
    firstName: fieldOf(request, 'firstName'),
    lastName: fieldOf(request, 'lastName'),
  }
  const words = wordsOf(request)
  const form = { preview, token, csrf: reply.generateCsrf(), rule, typed, faults }
  return sendPage(faults.length ? reply.code(422) : reply, words, invitationForm(words, form))
}

/** Accepts, unless something typed is at fault: then it says what. */
async function accept(visit: Visit): Promise<Fault[]> {
  const { signInRequired, email } = await previewInvitation(systemOf(visit), visit.token, visit.now)
  return signInRequired ? acceptAsOwner(visit, email) : acceptAsNewcomer(visit)
}

/** For the address's proven account: it proves itself as at a sign-in, and its password is never replaced. */
async function acceptAsOwner(visit: Visit, email: string): Promise<Fault[]> {
  const proof = await proveOwner(visit, email)
  if (Array.isArray(proof)) return proof
  await asSystem(visit, async work => {
    const signedInAs = await spendProof(work, proof)
    await join(work, visit, { signedInAs, newAccount: null })
  })
  await proof.code?.handBack()
  return []
}

async function acceptAsNewcomer(visit: Visit): Promise<Fault[]> {
  const { node, request, token, now } = visit
  const typed = {
    firstName: fieldOf(request, 'firstName'),
    lastName: fieldOf(request, 'lastName'),
    password: fieldOf(request, 'password'),
  }
  const { firstName, lastName } = typed
  const rules = await passwordRulesFor(systemOf(visit), token, now, [firstName, lastName])
  const faults = faultsIn(typed, rules)
  if (faults.length) return faults
  const passwordHash = await node.hasher.hash(typed.password)
  const newAccount = { ...readName(typed, []), passwordHash }
  await asSystem(visit, work => join(work, visit, { signedInAs: null, newAccount }))
  return []
}

const join = (work: Work, visit: Visit, who: Pick<Acceptance, 'signedInAs' | 'newAccount'>) =>
  acceptInvitation(work, { ...who, token: visit.token, delivery: 'BODY', startSession: false })
