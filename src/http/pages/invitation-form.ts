import { toDate, type Instant } from '../../database/columns.ts'
import type { InvitationPreview } from '../../flows/invitations/invitation.type.ts'
import { escapeHtml } from '../../shared/html.ts'
import { sayFault, type Fault, type FieldName, type Typed } from './invitation-faults.ts'
import { CSRF_FIELD } from './page-guard.ts'
import type { Page } from './page-layout.ts'
import type { PasswordRule, Words } from './words.en.ts'

export const INVITATION_PATH = '/accept-invitation'

/** What the form shows. */
export interface InvitationForm {
  preview: InvitationPreview
  token: string
  csrf: string
  rule: PasswordRule
  typed: Pick<Typed, 'firstName' | 'lastName'>
  faults: Fault[]
}

/** Who invites whom, and the form that answers. */
export function invitationForm(words: Words, form: InvitationForm): Page {
  const { preview, faults } = form
  const { organisationName, inviterName } = preview
  const title = words.invitation.title(organisationName)
  return {
    // read first, so whoever cannot see the page knows at once that it came back
    title: faults.length ? `${words.faults.heading}: ${title}` : title,
    content: [
      summary(words, form),
      `<h1>${escapeHtml(title)}</h1>`,
      `<p>${escapeHtml(words.invitation.invited(organisationName, inviterName))}</p>`,
      `<p>${escapeHtml(preview.signInRequired ? words.invitation.owner : words.invitation.newcomer)}</p>`,
      acceptance(words, form),
      refusal(words, form),
    ]
      .filter(Boolean)
      .join('\n'),
  }
}

const acceptance = (
  words: Words,
  form: InvitationForm,
) => `<form method="post" action="${INVITATION_PATH}" novalidate>
${hidden(form, 'accept')}
${address(words, form.preview.email)}
${form.preview.signInRequired ? ownerFields(words, form) : newcomerFields(words, form)}
<button>${escapeHtml(words.invitation.accept)}</button>
</form>`

const refusal = (
  { language, invitation }: Words,
  form: InvitationForm,
) => `<form method="post" action="${INVITATION_PATH}" class="aside">
${hidden(form, 'decline')}
<p class="quiet">${escapeHtml(invitation.declineQuestion)} ${escapeHtml(invitation.openUntil(moment(form.preview.expiresAt, language)))}</p>
<button class="second">${escapeHtml(invitation.decline)}</button>
</form>`

const hidden = ({ token, csrf }: InvitationForm, answer: 'accept' | 'decline') =>
  [
    ['token', token],
    [CSRF_FIELD, csrf],
    ['answer', answer],
  ]
    .map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value ?? '')}">`,
    )
    .join('\n')

/** Not sent, but password managers file the password under it. */
const address = ({ fields }: Words, email: string) => `<div class="field">
<label for="email">${escapeHtml(fields.email)}</label>
<input id="email" type="email" autocomplete="username" value="${escapeHtml(email)}" readonly>
</div>`

const newcomerFields = (words: Words, form: InvitationForm) =>
  [
    field(words, form, {
      name: 'firstName',
      label: words.fields.firstName,
      attributes: 'type="text" autocomplete="given-name" required',
      value: form.typed.firstName,
    }),
    field(words, form, {
      name: 'lastName',
      label: words.fields.lastName,
      optional: true,
      attributes: 'type="text" autocomplete="family-name"',
      value: form.typed.lastName,
    }),
    field(words, form, {
      name: 'password',
      label: words.fields.newPassword,
      attributes: 'type="password" autocomplete="new-password" required',
      hint: words.passwordRule(form.rule),
    }),
  ].join('\n')

const ownerFields = (words: Words, form: InvitationForm) =>
  field(words, form, {
    name: 'password',
    label: words.fields.password,
    attributes: 'type="password" autocomplete="current-password" required',
  })

interface Field {
  name: FieldName
  label: string
  attributes: string
  optional?: boolean
  hint?: string
  value?: string
}

/**
 * A labelled input. What is expected of it and what is wrong with it are read out with it, and stand above it, where
 * a phone's keyboard does not cover them.
 */
function field(words: Words, { faults, rule }: InvitationForm, input: Field): string {
  const { name, label, attributes, optional, hint, value } = input
  const wrong = faults.filter(fault => fault.field === name)
  const notes = [
    { id: `${name}-hint`, look: 'hint', text: hint ?? '' },
    {
      id: `${name}-fault`,
      look: 'fault',
      text: wrong.map(fault => sayFault(words, fault, rule)).join(' '),
    },
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
function summary(words: Words, { faults, rule }: InvitationForm): string {
  if (!faults.length) return ''
  const items = faults.map(
    fault => `<li><a href="#${fault.field}">${escapeHtml(sayFault(words, fault, rule))}</a></li>`,
  )
  return `<section class="faults" aria-labelledby="faults" tabindex="-1" autofocus>
<h2 id="faults">${escapeHtml(words.faults.heading)}</h2>
<ul>
${items.join('\n')}
</ul>
</section>`
}

/** The server knows no time zone of a stranger, so it names its own. */
const moment = (instant: Instant, language: string): string =>
  new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
    timeZoneName: 'short',
    hourCycle: 'h23',
  }).format(toDate(instant))
