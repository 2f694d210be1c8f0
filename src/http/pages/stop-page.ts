import type { FastifyInstance, FastifyRequest } from 'fastify'
import { stopMails } from '../../accounts/notifications/preference.service.ts'
import type { Node } from '../../graphql/context.ts'
import { readStopToken, STOP_PARAMETER, STOP_PATH } from '../../outbox/mail/stop-link.ts'
import { tokenInvalid } from '../../shared/errors.ts'
import { escapeHtml } from '../../shared/html.ts'
import { registerPageErrors } from './page-errors.ts'
import { hidden } from './page-form.ts'
import { notice, registerHeaders, sendPage, wordsOf } from './page-layout.ts'
import { inPlaceOf, isAnswered } from './page-refusals.ts'
import { asSystem, visitOf, type Visit } from './page-visit.ts'
import type { Words } from './words.en.ts'

const BODY_LIMIT = 10_000
/** What a mail program sends for its reader (RFC 8058, section 3.2), and the button of the page too. */
const ONE_CLICK = ['List-Unsubscribe', 'One-Click'] as const

/**
 * The page where the link at the foot of an optional mail leads. Looking at it changes nothing: a button sends what
 * the mail programs of those who press theirs send. Its token is all the proof there is, so it wants neither a session
 * nor a cookie, and takes the form from anywhere.
 */
export function registerStopPage(app: FastifyInstance, node: Node): void {
  registerHeaders(app)
  registerPageErrors(app)
  // a form in either encoding; all that is asked of it is that it says what it is
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))

  app.get(STOP_PATH, async (request, reply) => {
    const words = wordsOf(request)
    const reader = readerOf(node, request)
    if (!reader) return sendPage(reply.code(410), words, gone(words))
    const { title, text, submit, kinds } = words.stop
    const query = new URLSearchParams({ [STOP_PARAMETER]: tokenOf(request) }).toString()
    const content = [
      `<h1>${escapeHtml(title)}</h1>`,
      `<p>${escapeHtml(text)}</p>`,
      '<ul>',
      ...reader.categories.map(category => `<li>${escapeHtml(kinds[category])}</li>`),
      '</ul>',
      `<form method="post" action="${escapeHtml(`${STOP_PATH}?${query}`)}">`,
      hidden({ [ONE_CLICK[0]]: ONE_CLICK[1] }),
      `<button>${escapeHtml(submit)}</button>`,
      '</form>',
    ]
    return sendPage(reply, words, { title, content: content.join('\n') })
  })

  app.post(STOP_PATH, { bodyLimit: BODY_LIMIT }, async (request, reply) => {
    const words = wordsOf(request)
    const visit = visitOf(node, request, reply)
    const reader = await readerFor(visit)
    if (!reader) return sendPage(reply.code(410), words, gone(words))
    const body = typeof request.body === 'string' ? request.body : ''
    if (!ONE_CLICK.every(word => body.includes(word)))
      return sendPage(reply.code(400), words, notice(words.stop.title, words.stop.pressButton))
    await asSystem(visit, work => stopMails(work, reader))
    return sendPage(reply, words, notice(words.stop.doneTitle, words.stop.doneText))
  })
}

const tokenOf = ({ query }: FastifyRequest): string => {
  const { [STOP_PARAMETER]: token } = query as Record<string, unknown>
  return typeof token === 'string' ? token : ''
}

const readerOf = ({ server }: Node, request: FastifyRequest) =>
  readStopToken(server.keys, tokenOf(request))

/** Whose mails a click is to stop; null where its token is none of ours. */
async function readerFor(visit: Visit) {
  try {
    return await inPlaceOf(visit, 'setNotificationPreferences', async () => {
      const reader = readerOf(visit.node, visit.request)
      if (!reader) throw tokenInvalid([STOP_PARAMETER])
      return reader
    })
  } catch (error) {
    if (isAnswered(visit, error, ({ details }) => details.reason === 'TOKEN_INVALID')) return null
    throw error
  }
}

const gone = ({ stop }: Words) => notice(stop.goneTitle, stop.goneText)
