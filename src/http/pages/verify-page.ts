import { findLink, LINK_PATHS } from '../../credentials/links/link.service.ts'
import { readPasswordRules } from '../../credentials/passwords/password-rules.service.ts'
import { isProven, verifyEmail } from '../../flows/email-verification/email-verification.service.ts'
import { readPerson } from '../../flows/sign-in/entry.service.ts'
import { tokenInvalid } from '../../shared/errors.ts'
import { passwordFaults, sayFault, type Fault } from './invitation-faults.ts'
import { donePath, sendForm, type LinkPage } from './link-page.ts'
import { newPasswordField, proofFields } from './page-form.ts'
import { fieldOf } from './page-guard.ts'
import { notice, sendPage, wordsOf } from './page-layout.ts'
import { proveOwner, spendProof } from './page-proof.ts'
import { asSystem, systemOf, type Visit } from './page-visit.ts'

const PATH = LINK_PATHS.VERIFY_EMAIL

/**
 * The page on which an address is confirmed. Whoever proves a mailbox first chooses the password here; the owner of an
 * account whose login was edited proves it with theirs.
 */
export const verifyPage: LinkPage = {
  path: PATH,
  mutation: 'verifyEmail',
  show: visit => show(visit, []),
  send: async visit => {
    const { link, proven } = await look(visit)
    const faults = await (proven ? confirm(visit, link.email) : prove(visit))
    return faults.length ? show(visit, faults) : visit.reply.redirect(donePath(PATH), 303)
  },
  done: ({ verify }) => ({ title: verify.doneTitle, text: verify.doneText }),
}

async function look(visit: Visit) {
  const system = systemOf(visit)
  const link = await findLink({ db: system, now: visit.now }, visit.token, 'VERIFY_EMAIL')
  if (!link) throw tokenInvalid(['token'])
  const { userId, organisationId } = link
  const rules = await readPasswordRules(system, { userId, organisationId })
  return { link, rules, proven: await isProven(system, userId) }
}

async function prove(visit: Visit): Promise<Fault[]> {
  const { rules } = await look(visit)
  const password = fieldOf(visit.request, 'password')
  const faults = passwordFaults(password, rules)
  if (faults.length) return faults
  const passwordHash = await visit.node.hasher.hash(password)
  await asSystem(visit, work => verifyEmail(work, null, visit.token, passwordHash))
  return []
}

async function confirm(visit: Visit, email: string): Promise<Fault[]> {
  const proof = await proveOwner(visit, email)
  if (Array.isArray(proof)) return proof
  await asSystem(visit, async work => {
    const userId = await spendProof(work, proof)
    await verifyEmail(work, { userId, sessionId: null }, visit.token, null)
  })
  await proof.code?.handBack()
  return []
}

async function show(visit: Visit, faults: Fault[]) {
  const { link, rules, proven } = await look(visit)
  const words = wordsOf(visit.request)
  const person = proven && (await readPerson(systemOf(visit), { id: link.userId }))
  if (person && !person.passwordHash)
    return sendPage(visit.reply, words, notice(words.verify.title, words.verify.withoutPassword))
  return sendForm(visit, {
    path: PATH,
    title: words.verify.title,
    paragraphs: [proven ? words.verify.owner : words.verify.newcomer],
    email: link.email,
    carried: { token: visit.token },
    fields: proven ? proofFields(words) : [newPasswordField(words, words.passwordRule(rules))],
    submit: words.verify.submit,
    faults: faults.map(fault => ({ field: fault.field, text: sayFault(words, fault, rules) })),
  })
}
