import { toDate, type Instant } from '../../database/columns.ts'
import type { InvitationPreview } from '../../flows/invitations/invitation.type.ts'
import { escapeHtml } from '../../shared/html.ts'
import { sayFault, type Fault, type Typed } from './invitation-faults.ts'
import { address, field, hidden, newPasswordField, proofFields, summary } from './page-form.ts'
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
      summary(words.faults.heading, said(words, form)),
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
${carried(form, 'accept')}
${address(words, form.preview.email)}
${form.preview.signInRequired ? ownerFields(words, form) : newcomerFields(words, form)}
<button>${escapeHtml(words.invitation.accept)}</button>
</form>`

const refusal = (
  { language, invitation }: Words,
  form: InvitationForm,
) => `<form method="post" action="${INVITATION_PATH}" class="aside">
${carried(form, 'decline')}
<p class="quiet">${escapeHtml(invitation.declineQuestion)} ${escapeHtml(invitation.openUntil(moment(form.preview.expiresAt, language)))}</p>
<button class="second">${escapeHtml(invitation.decline)}</button>
</form>`

const carried = ({ token, csrf }: InvitationForm, answer: 'accept' | 'decline') =>
  hidden({ token, [CSRF_FIELD]: csrf, answer })

const said = (words: Words, { faults, rule }: InvitationForm) =>
  faults.map(fault => ({ field: fault.field, text: sayFault(words, fault, rule) }))

const newcomerFields = (words: Words, form: InvitationForm) =>
  [
    {
      name: 'firstName',
      label: words.fields.firstName,
      attributes: 'type="text" autocomplete="given-name" required',
      value: form.typed.firstName,
    },
    {
      name: 'lastName',
      label: words.fields.lastName,
      optional: true,
      attributes: 'type="text" autocomplete="family-name"',
      value: form.typed.lastName,
    },
    newPasswordField(words, words.passwordRule(form.rule)),
  ]
    .map(input => field(words, said(words, form), input))
    .join('\n')

const ownerFields = (words: Words, form: InvitationForm) =>
  proofFields(words)
    .map(input => field(words, said(words, form), input))
    .join('\n')

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
