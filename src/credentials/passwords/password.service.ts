import { badInputs, type FieldFault } from '../../shared/errors.ts'

/** What makes a password acceptable. */
export interface PasswordRules {
  minLength: number
}

/** Longest password, in characters. */
export const LONGEST_PASSWORD = 256

/**
 * Holds a new password against the policy; characters count as Unicode code points.
 *
 * @throws {AppError} `BAD_USER_INPUT` with every rule that is not met.
 */
export function mustBeAcceptable(
  password: string,
  rules: PasswordRules,
  path: (string | number)[],
): void {
  const faults: (FieldFault & { message: string })[] = []
  const length = [...password].length
  if (length < rules.minLength)
    faults.push({
      path,
      reason: 'PASSWORD_TOO_SHORT',
      message: `Choose a password of at least ${rules.minLength} characters.`,
    })
  if (length > LONGEST_PASSWORD)
    faults.push({
      path,
      reason: 'OUT_OF_RANGE',
      message: `Choose a password of at most ${LONGEST_PASSWORD} characters.`,
    })
  if (faults.length) throw badInputs(faults)
}
