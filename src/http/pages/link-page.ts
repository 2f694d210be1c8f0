import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Node } from '../../graphql/context.ts'
import { escapeHtml } from '../../shared/html.ts'
import { address, field, hidden, summary, type Field, type SaidFault } from './page-form.ts'
import { CSRF_FIELD } from './page-guard.ts'
import { notice, sendPage, wordsOf } from './page-layout.ts'
import { inPlaceOf } from './page-refusals.ts'
import { visitOf, type Visit } from './page-visit.ts'
import type { Words } from './words.en.ts'

const BODY_LIMIT = 20_000

/** A form with one button. */
export interface LinkForm {
  path: string
  title: string
  paragraphs: string[]
  /** The login that it is about. */
  email: string
  /** What the form brings along unseen. */
  carried: Record<string, string>
  fields: Field[]
  submit: string
  faults: SaidFault[]
}

/** Shows a form; after a fault with status 422, and never with what was typed as a secret. */
export function sendForm({ request, reply }: Visit, form: LinkForm): FastifyReply {
  const words = wordsOf(request)
  const { faults, title, path } = form
  const carried = { ...form.carried, [CSRF_FIELD]: reply.generateCsrf() }
  const content = [
    summary(words.faults.notDone, faults),
    `<h1>${escapeHtml(title)}</h1>`,
    ...form.paragraphs.map(text => `<p>${escapeHtml(text)}</p>`),
    `<form method="post" action="${path}" novalidate>`,
    hidden(carried),
    address(words, form.email),
    ...form.fields.map(input => field(words, faults, input)),
    `<button>${escapeHtml(form.submit)}</button>`,
    '</form>',
  ]
  return sendPage(faults.length ? reply.code(422) : reply, words, {
    // read first, so whoever cannot see the page knows at once that it came back
    title: faults.length ? `${words.faults.notDone}: ${title}` : title,
    content: content.filter(Boolean).join('\n'),
  })
}

/** A page on which a mailed link lands. */
export interface LinkPage {
  path: string
  /** What its form stands for. */
  mutation: string
  /** Shows the form; looking at it changes nothing. */
  show(visit: Visit): Promise<FastifyReply>
  /** Does what the form asks for; shows it again where something typed is at fault. */
  send(visit: Visit): Promise<FastifyReply>
  /** What is said once it is done. */
  done(words: Words): { title: string; text: string }
}

/** Where a page leads once it is done. */
export const donePath = (path: string): string => `${path}/done`

/** Registers a page: GET and HEAD look, POST acts, and the end has an address that may be reloaded. */
export function registerLinkPage(app: FastifyInstance, node: Node, page: LinkPage): void {
  app.get(page.path, (request, reply) => page.show(visitOf(node, request, reply)))
  registerForm(app, node, page.path, visit =>
    inPlaceOf(visit, page.mutation, () => page.send(visit)),
  )
  app.get(donePath(page.path), (request, reply) => {
    const words = wordsOf(request)
    const { title, text } = page.done(words)
    return sendPage(reply, words, notice(title, text))
  })
}

/** Registers where a form is sent to: taken from this server's own pages only. */
export function registerForm(
  app: FastifyInstance,
  node: Node,
  path: string,
  send: (visit: Visit) => Promise<FastifyReply>,
): void {
  const preHandler = (request: FastifyRequest, reply: FastifyReply, done: () => void) =>
    app.csrfProtection(request, reply, done)
  app.post(path, { bodyLimit: BODY_LIMIT, preHandler }, (request, reply) =>
    send(visitOf(node, request, reply)),
  )
}
