import { escapeHtml } from '../../shared/html.ts'
import type { Words } from './words.en.ts'

/** What is wrong with one field, in words. */
export interface SaidFault {
  field: string
  text: string
}

/** One labelled input of a form. */
export interface Field {
  name: string
  label: string
  attributes: string
  optional?: boolean
  /** What is expected of it. */
  hint?: string
  value?: string
}

/**
 * A labelled input. What is expected of it and what is wrong with it are read out with it, and stand above it, where
 * a phone's keyboard does not cover them.
 */
export function field(words: Words, faults: SaidFault[], input: Field): string {
  const { name, label, attributes, optional, hint, value } = input
  const wrong = faults.filter(fault => fault.field === name)
  const notes = [
    { id: `${name}-hint`, look: 'hint', text: hint ?? '' },
    { id: `${name}-fault`, look: 'fault', text: wrong.map(fault => fault.text).join(' ') },
  ].filter(note => note.text)
  const described = notes.length
    ? ` aria-describedby="${notes.map(note => note.id).join(' ')}"`
    : ''
  return `<div class="field">
<label for="${name}">${escapeHtml(label)}${optional ? ` <small>(${escapeHtml(words.fields.optional)})</small>` : ''}</label>
${notes.map(({ id, look, text }) => `<p id="${id}" class="${look}">${escapeHtml(text)}</p>`).join('\n')}
<input id="${name}" name="${name}" ${attributes}${value ? ` value="${escapeHtml(value)}"` : ''} aria-invalid="${wrong.length > 0}"${described}>
</div>`
}

/** All faults at the top, each leading to its field. It takes the focus, so that it is read first. */
export function summary(heading: string, faults: SaidFault[]): string {
  if (!faults.length) return ''
  const items = faults.map(
    fault => `<li><a href="#${fault.field}">${escapeHtml(fault.text)}</a></li>`,
  )
  return `<section class="faults" aria-labelledby="faults" tabindex="-1" autofocus>
<h2 id="faults">${escapeHtml(heading)}</h2>
<ul>
${items.join('\n')}
</ul>
</section>`
}

/** What a form brings along unseen. */
export const hidden = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`)
    .join('\n')

/** Not sent, but password managers file the password under it. */
export const address = ({ fields }: Words, email: string): string => `<div class="field">
<label for="email">${escapeHtml(fields.email)}</label>
<input id="email" type="email" autocomplete="username" value="${escapeHtml(email)}" readonly>
</div>`

/** Where a new password is chosen; `rule` says what is expected of it. */
export const newPasswordField = (words: Words, rule: string): Field => ({
  name: 'password',
  label: words.fields.newPassword,
  attributes: 'type="password" autocomplete="new-password" required',
  hint: rule,
})

/** Where the owner of an account proves it: their password, and a code where they use an authenticator app. */
export const proofFields = (words: Words): Field[] => [
  {
    name: 'password',
    label: words.fields.password,
    attributes: 'type="password" autocomplete="current-password" required',
  },
  {
    name: 'code',
    label: words.fields.code,
    attributes: 'type="text" autocomplete="one-time-code" autocapitalize="off" spellcheck="false"',
    optional: true,
    hint: words.fields.codeHint,
  },
]
