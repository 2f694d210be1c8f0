import { readTitle } from '../../shared/titles.ts'
import {
  LONGEST_PASSWORD,
  mustBeAcceptable,
  type PasswordRules,
} from '../../credentials/passwords/password.service.ts'
import { AppError, type ErrorReason } from '../../shared/errors.ts'
import type { PasswordRule, Words } from './words.en.ts'

type FieldName = 'firstName' | 'lastName' | 'password' | 'code'

/** One thing that is wrong with what was typed. */
export interface Fault {
  field: FieldName
  reason: ErrorReason
}

/** What a newcomer typed. */
export interface Typed {
  firstName: string
  lastName: string
  password: string
}

/** Everything that is wrong with it, all at once. */
export const faultsIn = (
  { firstName, lastName, password }: Typed,
  rules: PasswordRules,
): Fault[] => [
  ...faultsOf('firstName', () => readTitle(firstName, [])),
  ...faultsOf('lastName', () => readTitle(lastName, [], 0)),
  ...passwordFaults(password, rules),
]

/** What is wrong with a new password, all at once. */
export const passwordFaults = (password: string, rules: PasswordRules): Fault[] =>
  faultsOf('password', () => mustBeAcceptable(password, rules, []))

function faultsOf(field: FieldName, check: () => unknown): Fault[] {
  try {
    check()
    return []
  } catch (error) {
    if (!(error instanceof AppError) || !error.details.fields) throw error
    return error.details.fields.map(({ reason }) => ({ field, reason }))
  }
}

/** A fault in words that say what to do. */
export function sayFault({ faults }: Words, { field, reason }: Fault, rule: PasswordRule): string {
  if (field === 'code') return reason === 'REQUIRED' ? faults.codeMissing : faults.codeWrong
  return field === 'password'
    ? sayPasswordFault(faults, reason, rule)
    : sayNameFault(faults, reason)
}

function sayNameFault(faults: Words['faults'], reason: ErrorReason): string {
  if (reason === 'REQUIRED') return faults.firstNameMissing
  return reason === 'OUT_OF_RANGE' ? faults.nameTooLong : faults.nameUnfit
}

function sayPasswordFault(
  faults: Words['faults'],
  reason: ErrorReason,
  rule: PasswordRule,
): string {
  switch (reason) {
    case 'REQUIRED':
      return faults.passwordMissing
    case 'CREDENTIALS_INVALID':
      return faults.passwordWrong
    case 'PASSWORD_TOO_SHORT':
      return faults.passwordTooShort(rule)
    case 'OUT_OF_RANGE':
      return faults.passwordTooLong(LONGEST_PASSWORD)
    case 'PASSWORD_TOO_COMMON':
      return faults.passwordTooCommon
    default:
      return faults.passwordUnfit
  }
}
