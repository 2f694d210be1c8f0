import { unwrapResolverError } from '@apollo/server/errors'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { AppError } from '../shared/errors.ts'
import { isPassing, isUnstorable } from '../database/failures.ts'

const MASK = 'Something went wrong on our side. Quote the request id when reporting it.'
// What graphql-js adds about the value itself, which may be a password.
const OWN_WORDS =
  /Expected (?:one email address|an RFC 3339 date and time, such as [^.]+|an absolute http or https URL without a user name)\./
const MISSING = /was not provided|Expected non-nullable|must not be null|, found null\./
// the type that was expected, whose name is the schema's
const TYPE =
  /(?:Enum|Expected type|value of type|does not exist in) "([\w[\]!]+)"|\b(String|Int|Boolean|ID) cannot represent/
// a variable that was left out, or is null, where its type does not allow it
const MISSING_VARIABLE =
  /^Variable "\$(\w+)" of (?:non-null|required) type "[^"]+" (?:must not be null|was not provided)/
// what graphql-js says after the fiftieth fault
const TOO_MANY_FAULTS = /^Too many errors processing variables/
// a variable that may be null, for an argument that may not
const NULL_ARGUMENT = /^Argument "(\w+)" of non-null type "[^"]+" must not be null/
const REPEATS_A_VALUE = /got invalid value|cannot represent|, found |does not exist in "/

/** The error behind one that graphql-js has wrapped. */
export const rootOf = (error: unknown): unknown => unwrapResolverError(error)

/** True for what the caller is not meant to see, which is logged instead. */
export function isOurFault(error: unknown): boolean {
  const root = rootOf(error)
  return (
    !(root instanceof AppError) &&
    !(root instanceof GraphQLError) &&
    !isPassing(root) &&
    !isUnstorable(root)
  )
}

/** Ours go out with code, reason and fields; what repeats a caller's data is rewritten; everything else is masked. */
export function formatError(
  formatted: GraphQLFormattedError,
  error: unknown,
): GraphQLFormattedError {
  const root = rootOf(error)
  const { message, locations, path } = formatted
  if (root instanceof AppError)
    return { message: root.message, locations, path, extensions: publicDetails(root) }
  if (isPassing(root))
    return {
      message: 'The server is busy or restarting. Send the same request again shortly.',
      locations,
      path,
      extensions: { code: 'SERVICE_UNAVAILABLE', retryAfter: 1 },
    }
  if (isUnstorable(root))
    return {
      message: 'A text holds a character that cannot be stored.',
      locations,
      path,
      extensions: { code: 'BAD_USER_INPUT', reason: 'INVALID_FORMAT' },
    }
  const code = formatted.extensions?.code
  const argument = NULL_ARGUMENT.exec(message)?.[1]
  if (argument && root instanceof GraphQLError)
    return {
      message: `\`${argument}\` takes no null. Leave it out for what it is by default.`,
      locations,
      path,
      extensions: {
        code: 'BAD_USER_INPUT',
        reason: 'REQUIRED',
        fields: [{ path: [argument], reason: 'REQUIRED' }],
      },
    }
  const variable = MISSING_VARIABLE.exec(message)?.[1]
  if (variable)
    return {
      message: `The input at \`${variable}\` is not accepted. It is needed.`,
      locations,
      extensions: {
        code: 'BAD_USER_INPUT',
        reason: 'REQUIRED',
        fields: [{ path: [variable], reason: 'REQUIRED' }],
      },
    }
  if (TOO_MANY_FAULTS.test(message))
    return {
      message: 'There are more faults in this input. Correct those told here first.',
      extensions: { code: 'BAD_USER_INPUT' },
    }
  if (
    code === 'INTERNAL_SERVER_ERROR' &&
    !(root instanceof GraphQLError && root.originalError == null && !path)
  )
    return { message: MASK, locations, path, extensions: { code } }
  if (code === 'GRAPHQL_PARSE_FAILED')
    // the parser quotes what it stumbled over, which may be a password
    return { message: 'This document is no GraphQL, or too long.', locations, extensions: { code } }
  if (REPEATS_A_VALUE.test(message) || OWN_WORDS.test(message)) return rewrite(formatted)
  const { stacktrace: _stacktrace, ...extensions } = (formatted.extensions ?? {}) as Record<
    string,
    unknown
  >
  return { ...formatted, extensions }
}

/** What is told of a refusal. */
function publicDetails(error: AppError): Record<string, unknown> {
  const { reason, path, fields = path && [{ path }], retryAfter } = error.details
  return {
    code: error.code,
    ...(reason && { reason }),
    ...(fields && { fields }),
    ...(retryAfter !== undefined && { retryAfter }),
  }
}

/** graphql-js repeats the value that does not fit, passwords included: only where and why is told on. */
function rewrite({ message, locations, extensions }: GraphQLFormattedError): GraphQLFormattedError {
  const variable = /^Variable "\$(\w+)"/.exec(message)?.[1]
  // of a list as a variable, `rows[7].email`
  const inner = / at "\w+([.[][^"]+)"/.exec(message)?.[1]
  const path = variable
    ? [variable, ...(inner?.split(/[.[\]]+/).filter(Boolean) ?? [])].map(asIndex)
    : []
  const unknown = /Field "(\w+)" is not defined by type "(\w+)"/.exec(message)
  const required = /Field "(\w+)" of required type/.exec(message)?.[1]
  const reason = MISSING.test(message) ? 'REQUIRED' : 'INVALID_FORMAT'
  const full = required ? [...path, required] : unknown ? [...path, unknown[1]!] : path
  const where = full.length ? ` at \`${full.join('.')}\`` : ''
  const [, named, builtIn] = TYPE.exec(message) ?? []
  const type = named ?? builtIn
  const why =
    OWN_WORDS.exec(message)?.[0] ??
    (unknown
      ? `\`${unknown[2]}\` has no such field.`
      : reason === 'REQUIRED'
        ? 'It is needed.'
        : `It does not fit its type${type ? `, \`${type}\`` : ''}.`)
  return {
    message: `The input${where} is not accepted. ${why}`,
    locations,
    extensions: {
      code: extensions?.code ?? 'BAD_USER_INPUT',
      reason,
      ...(full.length && { fields: [{ path: full, reason }] }),
    },
  }
}

const asIndex = (part: string) => (/^\d+$/.test(part) ? Number(part) : part)
