import { badInput, type Path } from '../../shared/errors.ts'
import { holdsLink, singleLine } from '../../shared/normalise.ts'
import { readMessage } from '../../flows/members/reason.ts'

const LONGEST_SUBJECT = 100
const PLACEHOLDER = /\{\{(.*?)\}\}/gs

/** What is filled into the mails of workflows. */
export interface Filling {
  firstName: string
  organisation: string
  project: string | null
}

/** A mail with its places unfilled. */
export interface MailTemplate {
  subject: string
  body: string
}

/**
 * A mail as typed: a subject of one line and some lines of text, both without links, with no other places to be filled
 * than there are.
 *
 * @param inProject whether there is a project to name.
 */
export function readTemplate(
  { subject, body }: MailTemplate,
  path: Path,
  inProject: boolean,
): MailTemplate {
  const places = ['firstName', 'organisation', ...(inProject ? ['project'] : [])]
  const line = readSubject(subject, [...path, 'subject'])
  // what stands around a place must not become a link once it is filled, be it with nothing
  const text = readMessage(body, [...path, 'body'])
  if (!text) throw badInput([...path, 'body'], 'REQUIRED', 'Say something in the mail.')
  for (const [field, given] of [
    ['subject', line],
    ['body', text],
  ] as const) {
    const unknown = [...given.matchAll(PLACEHOLDER)].find(([, name]) => !places.includes(name!))
    if (unknown)
      throw badInput(
        [...path, field],
        'INVALID_FORMAT',
        `There is nothing to fill into ${unknown[0]}. There is: ${places.map(name => `{{${name}}}`).join(', ')}.`,
      )
    if (
      holdsLink(given.replaceAll(PLACEHOLDER, '')) ||
      holdsLink(given.replaceAll(PLACEHOLDER, 'a'))
    )
      throw badInput([...path, field], 'INVALID_FORMAT', 'A mail of a workflow holds no links.')
  }
  return { subject: line, body: text }
}

function readSubject(subject: string, path: Path): string {
  const line = singleLine(subject)
  if (line === null)
    throw badInput(path, 'INVALID_FORMAT', 'A subject is one line without control characters.')
  if (!line) throw badInput(path, 'REQUIRED', 'A mail has a subject.')
  if (line.length > LONGEST_SUBJECT)
    throw badInput(path, 'OUT_OF_RANGE', `Subjects have at most ${LONGEST_SUBJECT} characters.`)
  if (holdsLink(line)) throw badInput(path, 'INVALID_FORMAT', 'A subject holds no links.')
  return line
}

/**
 * Fills a mail in. Names are text like the rest: what is escaped in HTML is escaped where HTML is made.
 *
 * @returns null where it would hold a link now, which no mail in somebody's words does.
 */
export function fillIn(template: MailTemplate, filling: Filling): MailTemplate | null {
  const fill = (text: string) =>
    text.replaceAll(PLACEHOLDER, (_all, name: string) => filling[name as keyof Filling] ?? '')
  const filled = { subject: fill(template.subject), body: fill(template.body) }
  return holdsLink(filled.subject) || holdsLink(filled.body) ? null : filled
}
