import { badInput, type Path } from '../../shared/errors.ts'
import { holdsLink, isPlainText } from '../../shared/normalise.ts'

const LONGEST_REASON = 500
const LONGEST_MESSAGE = 1_000

/**
 * A reason in the actor's words: some lines of text, or none.
 *
 * @param path where it stands in the arguments.
 * @throws {AppError} `BAD_USER_INPUT`.
 */
export function readReason(reason: string | null, path: Path = ['reason']): string | null {
  const text = reason?.trim() ?? ''
  if (text.length > LONGEST_REASON)
    throw badInput(path, 'OUT_OF_RANGE', `A reason has at most ${LONGEST_REASON} characters.`)
  if (!isPlainText(text))
    throw badInput(path, 'INVALID_FORMAT', 'A reason is text without control characters.')
  return text || null
}

/** Personal words for a mail: some lines of plain text, or none. A mail of ours carries nobody else's links. */
export function readMessage(message: string | null, path: Path): string | null {
  const text = message?.trim().replace(/\r\n?/g, '\n') ?? ''
  if (text.length > LONGEST_MESSAGE)
    throw badInput(path, 'OUT_OF_RANGE', `A message has at most ${LONGEST_MESSAGE} characters.`)
  if (!isPlainText(text))
    throw badInput(path, 'INVALID_FORMAT', 'A message is plain text without control characters.')
  if (holdsLink(text)) throw badInput(path, 'INVALID_FORMAT', 'A message holds no links.')
  return text || null
}
