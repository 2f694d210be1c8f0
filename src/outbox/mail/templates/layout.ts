import { escapeHtml } from '../../../shared/html.ts'

export interface RenderedMail {
  subject: string
  text: string
  html: string
}

/** What a mail says; texts are plain and escaped here. */
export interface MailText {
  subject: string
  paragraphs: string[]
  button?: { label: string; url: string }
  /** Small print below. */
  notes?: string[]
}

/** Lays a mail out twice, as text and as HTML that needs nothing from outside. */
export function layOut(
  language: string,
  { subject, paragraphs, button, notes = [] }: MailText,
): RenderedMail {
  const text = [
    ...paragraphs,
    ...(button ? [`${button.label}:\n${button.url}`] : []),
    ...notes,
  ].join('\n\n')
  const paragraph = (line: string, style = '') =>
    `<p style="margin:0 0 16px;${style}">${escapeHtml(line)}</p>`
  const link = button
    ? `<p style="margin:24px 0"><a href="${escapeHtml(button.url)}" style="background:#1d4ed8;color:#fff;padding:12px 20px;border-radius:6px;text-decoration:none;display:inline-block">${escapeHtml(button.label)}</a></p>
<p style="margin:0 0 16px;font-size:13px;color:#4b5563;word-break:break-all">${escapeHtml(button.url)}</p>`
    : ''
  const html = `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:24px;background:#f3f4f6;font:16px/1.5 system-ui,sans-serif;color:#111827">
<div style="max-width:560px;margin:0 auto;background:#fff;padding:32px;border-radius:8px">
${paragraphs.map(line => paragraph(line)).join('\n')}
${link}
${notes.map(line => paragraph(line, 'font-size:13px;color:#4b5563;')).join('\n')}
</div>
</body>
</html>
`
  return { subject, text: `${text}\n`, html }
}
