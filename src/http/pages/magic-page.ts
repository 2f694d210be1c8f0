import type { FastifyInstance } from 'fastify'
import { findLink, LINK_PATHS } from '../../credentials/links/link.service.ts'
import type { RenewedSession } from '../../credentials/sessions/session.service.ts'
import { signInWithMagicLink } from '../../flows/magic-links/magic-link.service.ts'
import { verifyMfa } from '../../flows/sign-in/verify.service.ts'
import type { Node } from '../../graphql/context.ts'
import { tokenInvalid } from '../../shared/errors.ts'
import { refreshCookie } from '../refresh-cookie.ts'
import { donePath, registerForm, registerLinkPage, sendForm, type LinkPage } from './link-page.ts'
import type { SaidFault } from './page-form.ts'
import { fieldOf } from './page-guard.ts'
import { notice, sendPage, wordsOf } from './page-layout.ts'
import { codeToolsOf } from './page-proof.ts'
import { inPlaceOf, isAnswered } from './page-refusals.ts'
import { asSystem, systemOf, type Visit } from './page-visit.ts'

const PATH = LINK_PATHS.MAGIC_LINK
const CODE_PATH = `${PATH}/code`
const TOTP = /^\s*(?:\d\s*){6}$/

/**
 * The page on which a mailed link signs in. The session is for this browser: its refresh token travels in the cookie
 * that `refreshSession` reads, and no page ever shows it.
 */
export function registerMagicPage(app: FastifyInstance, node: Node): void {
  registerLinkPage(app, node, magicPage)
  registerForm(app, node, CODE_PATH, answer)
}

const magicPage: LinkPage = {
  path: PATH,
  mutation: 'signInWithMagicLink',
  show: async visit => {
    const words = wordsOf(visit.request)
    const { title, text, submit } = words.magic
    return sendForm(visit, {
      path: PATH,
      title,
      paragraphs: [text],
      email: (await look(visit)).email,
      carried: { token: visit.token },
      fields: [],
      submit,
      faults: [],
    })
  },
  send: visit =>
    unlessBarred(visit, () => inPlaceOf(visit, magicPage.mutation, () => signIn(visit))),
  done: ({ magic }) => ({ title: magic.doneTitle, text: magic.doneText }),
}

async function look(visit: Visit) {
  const link = await findLink({ db: systemOf(visit), now: visit.now }, visit.token, 'MAGIC_LINK')
  if (!link) throw tokenInvalid(['token'])
  return link
}

async function signIn(visit: Visit) {
  const { email } = await look(visit)
  const { token } = visit
  const entered = await asSystem(visit, work =>
    signInWithMagicLink(work, { token, wanted: null, delivery: 'COOKIE' }),
  )
  if ('session' in entered) return arrive(visit, entered.session)
  return ask(visit, { email, challenge: entered.challenge.token }, [])
}

/** Asks for the second factor: the link is used up by now, and the challenge takes its place. */
function ask(visit: Visit, carried: { email: string; challenge: string }, faults: SaidFault[]) {
  const words = wordsOf(visit.request)
  const { codeTitle, codeText, submit } = words.magic
  return sendForm(visit, {
    path: CODE_PATH,
    title: codeTitle,
    paragraphs: [codeText],
    email: carried.email,
    carried: { login: carried.email, challenge: carried.challenge },
    fields: [
      {
        name: 'code',
        label: words.fields.code,
        attributes:
          'type="text" autocomplete="one-time-code" autocapitalize="off" spellcheck="false" required',
        hint: words.fields.challengeHint,
      },
    ],
    submit,
    faults,
  })
}

const answer = (visit: Visit) =>
  unlessBarred(visit, async () => {
    const challenge = fieldOf(visit.request, 'challenge')
    const code = fieldOf(visit.request, 'code')
    const { codeMissing, codeWrong } = wordsOf(visit.request).faults
    const again = (text: string) =>
      ask(visit, { email: fieldOf(visit.request, 'login'), challenge }, [{ field: 'code', text }])
    if (!code) return again(codeMissing)
    try {
      const session = await inPlaceOf(visit, 'verifyMfa', () =>
        verifyMfa(codeToolsOf(visit), {
          challenge,
          code,
          method: TOTP.test(code) ? 'TOTP' : 'RECOVERY_CODE',
          delivery: 'COOKIE',
        }),
      )
      return await arrive(visit, session)
    } catch (error) {
      if (isAnswered(visit, error, ({ details }) => details.reason === 'CODE_INVALID'))
        return again(codeWrong)
      throw error
    }
  })

async function arrive({ node, request, reply }: Visit, session: RenewedSession) {
  const caller = await node.lookUpSession(session.id)
  if (caller?.session)
    refreshCookie(request, reply).write(session.refreshToken, new Date(caller.session.expiresAt))
  return reply.redirect(donePath(PATH), 303)
}

/** Whoever may not come in is told so: the link has shown whose mailbox it is. */
async function unlessBarred<Result>(visit: Visit, step: () => Promise<Result>) {
  try {
    return await step()
  } catch (error) {
    if (!isAnswered(visit, error, ({ code }) => code === 'UNAUTHENTICATED')) throw error
    const words = wordsOf(visit.request)
    const { barredTitle, barredText } = words.magic
    return sendPage(visit.reply.code(403), words, notice(barredTitle, barredText))
  }
}
