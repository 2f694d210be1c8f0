import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { escapeHtml } from '../../shared/html.ts'
import { STYLE_PATH } from './page-style.ts'
import type { Words } from './words.en.ts'
import { chooseWords } from './words.ts'

const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "style-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "img-src 'self'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
}

/** Sets what every answer of the pages carries, refusals too. */
export function registerHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => void reply.headers(HEADERS))
}

/** A page: its title and what stands in its one column, as HTML. */
export interface Page {
  title: string
  content: string
}

const render = (language: string, { title, content }: Page) => `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${STYLE_PATH}">
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`

/** A title and paragraphs: the page of an outcome. */
export const notice = (title: string, ...paragraphs: string[]): Page => ({
  title,
  content: [
    `<h1>${escapeHtml(title)}</h1>`,
    ...paragraphs.map(text => `<p>${escapeHtml(text)}</p>`),
  ].join('\n'),
})

/** The texts for whoever asks. */
export const wordsOf = (request: FastifyRequest): Words =>
  chooseWords(request.headers['accept-language'])

export const sendPage = (reply: FastifyReply, { language }: Words, page: Page): FastifyReply =>
  reply
    .header('vary', 'accept-language')
    .header('content-language', language)
    .type('text/html; charset=utf-8')
    .send(render(language, page))
