/** What a program should do about a refusal. Renaming one breaks clients. */
export const ERROR_CODES = [
  'BAD_USER_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'MFA_REQUIRED',
  'STEP_UP_REQUIRED',
  'RATE_LIMITED',
  'SERVICE_UNAVAILABLE',
  'INTERNAL_SERVER_ERROR',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** Why something was refused, in terms of what a person should be told. May grow. */
export const ERROR_REASONS = [
  'REQUIRED',
  'INVALID_FORMAT',
  'OUT_OF_RANGE',
  'PASSWORD_TOO_SHORT',
  'PASSWORD_TOO_COMMON',
  'PASSWORD_POLICY',
  'TOKEN_INVALID',
  'CODE_INVALID',
  'CURSOR_INVALID',
  'PERMISSION_UNKNOWN',
  'ROLE_LEVEL_MISMATCH',
  'URL_NOT_ALLOWED',
  'FILE_NOT_ACCEPTED',
  'CREDENTIALS_INVALID',
  'SESSION_ENDED',
  'REFRESH_TOKEN_REUSED',
  'KEY_INVALID',
  'PERMISSION_MISSING',
  'SCOPE_MISSING',
  'KEY_NOT_ALLOWED',
  'EXCEEDS_OWN_PERMISSIONS',
  'ORGANISATION_NOT_CHOSEN',
  'ORGANISATION_NOT_ACTIVE',
  'SHARED_ACCOUNT',
  'POLICY_FORBIDS',
  'ALREADY_EXISTS',
  'LAST_ADMINISTRATOR',
  'IN_USE',
  'STATE_MISMATCH',
  'IDEMPOTENCY_KEY_REUSED',
] as const
export type ErrorReason = (typeof ERROR_REASONS)[number]

/** Where something stands in the arguments, such as `['input', 'name']`. */
export type Path = (string | number)[]

/** One input at fault: where it stands in the arguments, and what is wrong with it. */
export interface FieldFault {
  path: Path
  reason: ErrorReason
  message?: string
}

export interface ErrorDetails {
  reason?: ErrorReason
  fields?: FieldFault[]
  /** Where the id stands of what is not there: of that no reason is told. */
  path?: Path
  /** Seconds to wait. */
  retryAfter?: number
}

/** What the trail is told of a refusal besides, and the caller is not. */
export interface Concern {
  organisationId: string | null
  target: { kind: string; id: string; name: string | null }
}

/** A failure the caller is meant to see. Anything else that escapes is logged and masked. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails
  /** For the trail alone. */
  concern?: Concern

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message)
    this.name = 'AppError'
    this.code = code
    this.details = details
  }
}

/** The details of a refusal; `path` leads to the one input that it is about, if it is about one. */
const about = (message: string, reason: ErrorReason, path?: Path): ErrorDetails => ({
  reason,
  ...(path && { fields: [{ path, reason, message }] }),
})

/** Input that breaks a rule; `path` leads to the argument, such as `['input', 'name']`. */
export const badInput = (path: Path, reason: ErrorReason, message: string) =>
  new AppError('BAD_USER_INPUT', message, about(message, reason, path))

/** Several faults of one input at once. */
export const badInputs = (faults: (FieldFault & { message: string })[]) =>
  new AppError('BAD_USER_INPUT', faults.map(fault => fault.message).join(' '), {
    reason: faults[0]?.reason,
    fields: faults,
  })

/** Nothing usable was presented, or what was presented does not hold. */
export const unauthenticated = (
  reason: ErrorReason = 'CREDENTIALS_INVALID',
  message = 'Sign in, or send a valid access token or API key as `Authorization: Bearer …`.',
) => new AppError('UNAUTHENTICATED', message, { reason })

/** Signed in, but not allowed; `path` leads to the one input that is too much, if it is one. */
export const forbidden = (reason: ErrorReason, message: string, path?: Path) =>
  new AppError('FORBIDDEN', message, about(message, reason, path))

/** Absent and foreign alike, so that ids of neighbours tell nothing; `path` leads to the id. */
export const notFound = (thing: string, path?: Path) =>
  new AppError(
    'NOT_FOUND',
    `There is no such ${thing} here. Check the id and the organisation in use.`,
    { path },
  )

/** Sound, but at odds with what is there; `path` leads to the one input that clashes, if it is one. */
export const conflict = (reason: ErrorReason, message: string, path?: Path) =>
  new AppError('CONFLICT', message, about(message, reason, path))

/** Never says which of the four it is. */
export const tokenInvalid = (path: Path) =>
  badInput(
    path,
    'TOKEN_INVALID',
    'This link or token is wrong, spent, replaced or too old. Ask for a new one.',
  )

/** @param retryAfter seconds to wait. */
export const rateLimited = (retryAfter: number) =>
  new AppError('RATE_LIMITED', `Too many attempts. Try again in ${retryAfter} seconds.`, {
    retryAfter,
  })

/** @param retryAfter seconds to wait. */
export const unavailable = (retryAfter = 1) =>
  new AppError(
    'SERVICE_UNAVAILABLE',
    'The server is busy or restarting. Send the same request again shortly.',
    {
      retryAfter,
    },
  )
