import type { FastifyInstance } from 'fastify'
import type { KeptMail, Mailbox } from '../outbox/mail/mailbox.ts'
import { escapeHtml } from '../shared/html.ts'

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

/** The development mailbox in the browser: what was sent, as text and as HTML. */
export function registerMailbox(app: FastifyInstance, mailbox: Mailbox): void {
  app.get('/dev/mailbox', async (_request, reply) => {
    const rows = mailbox.list().map(
      mail => `<article><h2>${escapeHtml(mail.subject)}</h2>
${headersOf(mail)}
<pre>${link(escapeHtml(mail.text))}</pre>
<details><summary>As HTML</summary><iframe sandbox title="${escapeHtml(mail.subject)}" srcdoc="${escapeHtml(mail.html)}"></iframe></details></article>`,
    )
    return reply
      .header('content-security-policy', POLICY)
      .header('referrer-policy', 'no-referrer')
      .type('text/html; charset=utf-8')
      .send(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Development mailbox</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap;word-break:break-word;background:#f3f4f6;padding:1rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem;font-size:.9rem}dd{margin:0;overflow-wrap:anywhere}iframe{width:100%;height:420px;border:1px solid #d1d5db}</style>
<h1>Development mailbox</h1>
<p>Mail is kept here, not sent, because SMTP_URL is not set. Reload to see more.</p>
${rows.join('\n') || '<p>No mail yet.</p>'}</html>`)
  })
  app.get('/dev/mailbox.json', async () => mailbox.list())
}

/** What stands above a mail on the wire. */
function headersOf(mail: KeptMail): string {
  const headers = {
    Date: mail.receivedAt.toUTCString(),
    From: mail.from,
    To: mail.to.address,
    'Message-ID': mail.messageId,
    ...mail.headers,
  }
  const rows = Object.entries(headers).map(
    ([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`,
  )
  return `<dl>${rows.join('')}</dl>`
}

const link = (text: string) =>
  text.replace(/https?:\/\/[^\s<]+/g, url => `<a href="${url}">${url}</a>`)
