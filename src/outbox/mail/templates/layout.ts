import { escapeHtml } from '../../../shared/html.ts'
import type { Language } from '../../../shared/languages.ts'

export interface RenderedMail {
  subject: string
  text: string
  html: string
}

/** What a mail says; texts are plain and escaped here. */
export interface MailText {
  subject: string
  /** How it begins. What follows it says everything by itself. */
  greeting?: string
  paragraphs: string[]
  button?: { label: string; url: string }
  /** Small print below. */
  notes?: string[]
}

const STOP: Record<Language, string> = {
  en: 'If you no longer want mails of this kind, unsubscribe here',
  de: 'Wenn Sie solche Mails nicht mehr möchten, bestellen Sie sie hier ab',
}

/**
 * Lays a mail out twice, as text and as HTML that needs nothing from outside.
 *
 * @param stopUrl where its reader has mails of this kind stopped; null for what cannot be stopped.
 */
export function layOut(
  language: Language,
  { subject, greeting, paragraphs: body, button, notes = [] }: MailText,
  stopUrl: string | null = null,
): RenderedMail {
  const paragraphs = greeting ? [greeting, ...body] : body
  const text = [
    ...paragraphs,
    ...(button ? [`${button.label}:\n${button.url}`] : []),
    ...notes,
    ...(stopUrl ? [`${STOP[language]}:\n${stopUrl}`] : []),
  ].join('\n\n')
  const paragraph = (line: string, style = '') =>
    `<p style="margin:0 0 16px;${style}">${escapeHtml(line)}</p>`
  const link = button
    ? `<p style="margin:24px 0"><a href="${escapeHtml(button.url)}" style="background:#1d4ed8;color:#fff;padding:12px 20px;border-radius:6px;text-decoration:none;display:inline-block">${escapeHtml(button.label)}</a></p>
<p style="margin:0 0 16px;font-size:13px;color:#4b5563;word-break:break-all">${escapeHtml(button.url)}</p>`
    : ''
  const stop = stopUrl
    ? `<p style="margin:0 0 16px;font-size:13px;color:#4b5563"><a href="${escapeHtml(stopUrl)}" style="color:#4b5563">${escapeHtml(STOP[language])}</a></p>`
    : ''
  const html = `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:24px;background:#f3f4f6;font:16px/1.5 system-ui,sans-serif;color:#111827">
<div style="max-width:560px;margin:0 auto;background:#fff;padding:32px;border-radius:8px">
${paragraphs.map(line => paragraph(line)).join('\n')}
${link}
${notes.map(line => paragraph(line, 'font-size:13px;color:#4b5563;')).join('\n')}
${stop}
</div>
</body>
</html>
`
  return { subject, text: `${text}\n`, html }
}
