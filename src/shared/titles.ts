import { badInput, type Path } from './errors.ts'
import { holdsLink, isPlainText, singleLine } from './normalise.ts'

const LONGEST_NAME = 100
const LONGEST_DESCRIPTION = 1_000
const LONGEST_LINE = 500
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/

/**
 * What something or somebody is called: one line without links.
 *
 * @param least characters: none where it may be empty.
 * @throws {AppError} `BAD_USER_INPUT`.
 */
export function readTitle(text: string, path: Path, least = 1): string {
  const line = singleLine(text)
  if (line == null)
    throw badInput(path, 'INVALID_FORMAT', 'Names are one line without control characters.')
  if (holdsLink(line)) throw badInput(path, 'INVALID_FORMAT', 'Names hold no links.')
  if (line.length < least) throw badInput(path, 'REQUIRED', 'A name is needed here.')
  if (line.length > LONGEST_NAME)
    throw badInput(path, 'OUT_OF_RANGE', `Names have at most ${LONGEST_NAME} characters.`)
  return line
}

/** @throws {AppError} `BAD_USER_INPUT` where it is not lower case letters, digits and dashes, at most 48. */
export function readSlug(text: string, path: Path): string {
  if (!SLUG.test(text))
    throw badInput(
      path,
      'INVALID_FORMAT',
      'A short name is made of a-z, 0-9 and dashes within, at most 48 characters. Choose one.',
    )
  return text
}

/**
 * A description: some lines of text, or none.
 *
 * @throws {AppError} `BAD_USER_INPUT` where it is longer than 1,000 characters, or holds control characters.
 */
export function readDescription(text: string | null | undefined, path: Path): string | null {
  if (text == null) return null
  if (text.length > LONGEST_DESCRIPTION)
    throw badInput(
      path,
      'OUT_OF_RANGE',
      `Descriptions have at most ${LONGEST_DESCRIPTION} characters.`,
    )
  if (!isPlainText(text))
    throw badInput(path, 'INVALID_FORMAT', 'A description is text without control characters.')
  return text.trim() || null
}

/**
 * A description of one line, as of roles and permissions, or none.
 *
 * @throws {AppError} `BAD_USER_INPUT` where it is longer than 500 characters, or more than a line.
 */
export function readDescriptionLine(text: string | null | undefined, path: Path): string | null {
  if (text == null || !text.trim()) return null
  const line = singleLine(text)
  if (line == null) throw badInput(path, 'INVALID_FORMAT', 'A description is one line of text.')
  if (line.length > LONGEST_LINE)
    throw badInput(path, 'OUT_OF_RANGE', `Descriptions have at most ${LONGEST_LINE} characters.`)
  return line
}
