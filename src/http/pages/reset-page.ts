import { findLink, LINK_PATHS } from '../../credentials/links/link.service.ts'
import { readPasswordRules } from '../../credentials/passwords/password-rules.service.ts'
import { resetPassword } from '../../flows/password-reset/password-reset.service.ts'
import { tokenInvalid } from '../../shared/errors.ts'
import { passwordFaults, sayFault, type Fault } from './invitation-faults.ts'
import { donePath, sendForm, type LinkPage } from './link-page.ts'
import { newPasswordField } from './page-form.ts'
import { fieldOf } from './page-guard.ts'
import { wordsOf } from './page-layout.ts'
import { asSystem, systemOf, type Visit } from './page-visit.ts'

const PATH = LINK_PATHS.PASSWORD_RESET

/** The page on which a new password is chosen. */
export const resetPage: LinkPage = {
  path: PATH,
  mutation: 'resetPassword',
  show: visit => show(visit, []),
  send: async visit => {
    const { rules } = await look(visit)
    const password = fieldOf(visit.request, 'password')
    const faults = passwordFaults(password, rules)
    if (faults.length) return show(visit, faults)
    const passwordHash = await visit.node.hasher.hash(password)
    await asSystem(visit, work => resetPassword(work, visit.token, passwordHash))
    return visit.reply.redirect(donePath(PATH), 303)
  },
  done: ({ reset }) => ({ title: reset.doneTitle, text: reset.doneText }),
}

async function look(visit: Visit) {
  const system = systemOf(visit)
  const link = await findLink({ db: system, now: visit.now }, visit.token, 'PASSWORD_RESET')
  if (!link) throw tokenInvalid(['token'])
  return { link, rules: await readPasswordRules(system, { userId: link.userId }) }
}

async function show(visit: Visit, faults: Fault[]) {
  const { link, rules } = await look(visit)
  const words = wordsOf(visit.request)
  return sendForm(visit, {
    path: PATH,
    title: words.reset.title,
    paragraphs: [words.reset.text],
    email: link.email,
    carried: { token: visit.token },
    fields: [newPasswordField(words, words.passwordRule(rules))],
    submit: words.reset.submit,
    faults: faults.map(fault => ({ field: fault.field, text: sayFault(words, fault, rules) })),
  })
}
