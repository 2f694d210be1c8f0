import { badInputs, type FieldFault } from '../../shared/errors.ts'
import { COMMON_BITS, guessBits } from './guessing.ts'

/** What makes a password acceptable. */
export interface PasswordRules {
  minLength: number
  /** Refuse what is easily guessed, or made from the names in `about`. */
  blockCommon: boolean
  /** How many of lower case, upper case, digits and other characters it must hold. */
  minCharacterKinds: number
  /** Names and addresses of the person and their organisations. */
  about: readonly string[]
}

/** Longest password, in characters. */
export const LONGEST_PASSWORD = 256

const KINDS = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{Ll}\p{Lu}\p{Nd}]/u]

/**
 * Holds a new password against the policy; characters count as Unicode code points. Every path on which a password is
 * chosen asks here.
 *
 * @throws {AppError} `BAD_USER_INPUT` with every rule that is not met.
 */
export function mustBeAcceptable(
  password: string,
  rules: PasswordRules,
  path: (string | number)[],
): void {
  const faults: (FieldFault & { message: string })[] = []
  const fault = (reason: FieldFault['reason'], message: string) =>
    faults.push({ path, reason, message })
  const length = [...password].length
  if (length < rules.minLength)
    fault('PASSWORD_TOO_SHORT', `Choose a password of at least ${rules.minLength} characters.`)
  if (length > LONGEST_PASSWORD)
    fault('OUT_OF_RANGE', `Choose a password of at most ${LONGEST_PASSWORD} characters.`)
  if (!password.isWellFormed())
    fault('INVALID_FORMAT', 'Choose a password of whole Unicode characters.')
  if (KINDS.filter(kind => kind.test(password)).length < rules.minCharacterKinds)
    fault(
      'PASSWORD_POLICY',
      `Use ${rules.minCharacterKinds} of these: lower case, upper case, digits, other characters.`,
    )
  if (
    rules.blockCommon &&
    length <= LONGEST_PASSWORD &&
    guessBits(password, rules.about) < COMMON_BITS
  )
    fault(
      'PASSWORD_TOO_COMMON',
      'Choose a password that is harder to guess: no common one, no name or address, no repeats or runs.',
    )
  if (faults.length) throw badInputs(faults)
}
