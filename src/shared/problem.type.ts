import { Field, ObjectType, registerEnumType } from 'type-graphql'
import { enumOf } from './enums.ts'
import { ERROR_CODES, ERROR_REASONS } from './errors.ts'

/** What happened to a request that was refused, in terms of what a client should do next. Sent as `extensions.code` of an error, and as `Problem.code` in bulk results. */
const ErrorCode = enumOf(...ERROR_CODES)
registerEnumType(ErrorCode, {
  name: 'ErrorCode',
  description:
    'What happened to a request that was refused, in terms of what a client should do next. Sent as `extensions.code` of an error, and as `Problem.code` in bulk results.',
  valuesConfig: {
    BAD_USER_INPUT: { description: 'Correct the input, then try again. See `extensions.fields`.' },
    UNAUTHENTICATED: { description: 'Sign in, or refresh the session.' },
    FORBIDDEN: { description: 'Signed in, but not allowed. Trying again will not help.' },
    NOT_FOUND: { description: 'No such thing, or none that the caller may know of.' },
    CONFLICT: { description: 'The request was sound but clashes with the present state.' },
    MFA_REQUIRED: { description: 'Prove a second factor, or enrol one, then try again.' },
    STEP_UP_REQUIRED: { description: 'Call `reauthenticate`, then try again.' },
    RATE_LIMITED: { description: 'Wait for `extensions.retryAfter` seconds.' },
    SERVICE_UNAVAILABLE: {
      description: 'Try the same request again after `extensions.retryAfter` seconds.',
    },
    INTERNAL_SERVER_ERROR: {
      description: 'Our fault. Quote `extensions.requestId` when reporting it.',
    },
  },
})

/** Why a request was refused, in terms of what a person should be told. Sent as `extensions.reason`. Treat values you do not know as absent. */
const ErrorReason = enumOf(...ERROR_REASONS)
registerEnumType(ErrorReason, {
  name: 'ErrorReason',
  description:
    'Why a request was refused, in terms of what a person should be told. Sent as `extensions.reason`. Treat values you do not know as absent.',
  valuesConfig: {
    TOKEN_INVALID: {
      description:
        'A mailed link or challenge that is wrong, spent, replaced or too old. Never says which.',
    },
    CODE_INVALID: { description: 'A one-time code that is wrong, spent or too old.' },
    CREDENTIALS_INVALID: {
      description:
        'Nothing usable was presented, or what was presented is wrong. Never says which.',
    },
    SESSION_ENDED: { description: 'The session ran out or was ended.' },
    REFRESH_TOKEN_REUSED: {
      description: 'A spent refresh token came back; the whole session was ended.',
    },
    KEY_INVALID: {
      description: 'The API key is unknown, expired, renewed, revoked, or its owner is barred.',
    },
    SCOPE_MISSING: {
      description: 'The key lacks the scope, though its owner may hold the permission.',
    },
    KEY_NOT_ALLOWED: { description: 'Only people can do this, in a session; not API keys.' },
    EXCEEDS_OWN_PERMISSIONS: {
      description: 'The change would hand out, or act on, more than the caller holds.',
    },
    ORGANISATION_NOT_CHOSEN: {
      description: 'Choose an organisation first with `switchOrganisation`.',
    },
    ORGANISATION_NOT_ACTIVE: {
      description:
        "It is the caller's own, but in another organisation: switch there first. Anything else elsewhere is `NOT_FOUND`.",
    },
    SHARED_ACCOUNT: {
      description: 'The account also belongs elsewhere; only its owner can change this.',
    },
    POLICY_FORBIDS: {
      description: 'A policy of the organisation, project or platform rules it out.',
    },
    LAST_ADMINISTRATOR: { description: 'At least one active administrator must remain.' },
    IN_USE: { description: 'Something still refers to it.' },
    STATE_MISMATCH: { description: 'The thing is not in a state that allows this step.' },
    IDEMPOTENCY_KEY_REUSED: {
      description: 'The same `Idempotency-Key` came with a different request.',
    },
  },
})

/** One refusal, as data. Bulk results carry these for single rows. */
@ObjectType({
  description: 'One refusal, as data. Bulk results carry these for single rows.',
  simpleResolvers: true,
})
export class Problem {
  @Field(() => ErrorCode)
  code!: keyof typeof ErrorCode

  @Field(() => ErrorReason, { nullable: true })
  reason!: keyof typeof ErrorReason | null

  @Field(() => String, { description: 'For developers, in English.' })
  message!: string

  @Field(() => [String], {
    nullable: true,
    description: 'Which input was at fault, such as `["rows", "3", "email"]`.',
  })
  path!: string[] | null
}
