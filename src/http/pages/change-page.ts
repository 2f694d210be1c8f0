import { findLink, LINK_PATHS } from '../../credentials/links/link.service.ts'
import { confirmEmailChange } from '../../flows/email-change/email-change.service.ts'
import { readPerson } from '../../flows/sign-in/entry.service.ts'
import { AppError, tokenInvalid } from '../../shared/errors.ts'
import { sayFault, type Fault } from './invitation-faults.ts'
import { donePath, sendForm, type LinkPage } from './link-page.ts'
import { proofFields } from './page-form.ts'
import { notice, sendPage, wordsOf } from './page-layout.ts'
import { proveOwner, spendProof } from './page-proof.ts'
import { asSystem, systemOf, type Visit } from './page-visit.ts'

const PATH = LINK_PATHS.EMAIL_CHANGE
const TOKEN = ['token']
const NO_RULE = { minLength: 0 }

/** The page on which the owner of an account moves it to the address that the link was mailed to. */
export const changePage: LinkPage = {
  path: PATH,
  mutation: 'confirmEmailChange',
  show: visit => show(visit, []),
  send: async visit => {
    const { person } = await look(visit)
    const faults = await move(visit, person.email)
    return faults.length ? show(visit, faults) : visit.reply.redirect(donePath(PATH), 303)
  },
  done: ({ change }) => ({ title: change.doneTitle, text: change.doneText }),
}

async function look(visit: Visit) {
  const system = systemOf(visit)
  const link = await findLink({ db: system, now: visit.now }, visit.token, 'EMAIL_CHANGE')
  const person = link && (await readPerson(system, { id: link.userId }))
  if (!link || !person) throw tokenInvalid(TOKEN)
  return { link, person }
}

async function move(visit: Visit, email: string): Promise<Fault[]> {
  const proof = await proveOwner(visit, email)
  if (Array.isArray(proof)) return proof
  await asSystem(visit, async work => {
    const userId = await spendProof(work, proof)
    return confirmEmailChange(work, { userId, sessionId: null }, visit.token)
  }).catch((error: unknown) => {
    // the address was taken this very moment, which is told no more than that it was taken before
    if (error instanceof AppError && error.code === 'CONFLICT') throw tokenInvalid(TOKEN)
    throw error
  })
  await proof.code?.handBack()
  return []
}

async function show(visit: Visit, faults: Fault[]) {
  const { link, person } = await look(visit)
  const words = wordsOf(visit.request)
  const { title, text, submit, withoutPassword } = words.change
  if (!person.passwordHash) return sendPage(visit.reply, words, notice(title, withoutPassword))
  return sendForm(visit, {
    path: PATH,
    title,
    paragraphs: [text(person.email)],
    email: link.email,
    carried: { token: visit.token },
    fields: proofFields(words),
    submit,
    faults: faults.map(fault => ({ field: fault.field, text: sayFault(words, fault, NO_RULE) })),
  })
}
