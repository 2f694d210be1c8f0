import { createHash } from 'node:crypto'
import {
  getNamedType,
  isObjectType,
  isUnionType,
  print,
  type GraphQLNamedType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql'
import type { Viewer } from '../access/viewer.ts'
import type { Work } from '../access/work.ts'
import { SYSTEM } from '../database/context.ts'
import { firstRow, sql, type Queries } from '../database/sql.ts'
import { AppError, conflict, forbidden, unauthenticated } from '../shared/errors.ts'
import { digest } from '../shared/tokens.ts'

const DAY_MS = 86_400_000
const KEY = /^[\x21-\x7e]{1,255}$/
const PURPOSE = 'idempotent result'
/** What an answer shows once is not shown again. */
const SHOWN_ONCE = new Set(['secret', 'invitationUrl'])
/** Payloads that are nothing without what they show once. */
const TOKENS = new Set([
  'Authenticated',
  'MfaChallenge',
  'MfaPayload',
  'TotpEnrolment',
  'UploadTarget',
])

/** What a request with an `Idempotency-Key` knows of the operation it belongs to. */
interface OnceContext {
  viewer: Viewer | null
  now: Date
  request: { idempotencyKey?: string | null }
  system: Queries
  close(): Promise<void>
  /** The effects of the operation, each of which happens once; null without a key. */
  once: Once | null
}

/**
 * Lets every mutation that comes with an `Idempotency-Key` have its effect once: hung around the resolvers, within the
 * doors, which thus ask anew each time.
 */
export function hangIdempotency(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { resolve } = field
    const showsTokens = isMadeOfTokens(getNamedType(field.type))
    if (!resolve) continue
    field.resolve = async (source, args, context: OnceContext, info) => {
      const key = context.request.idempotencyKey
      if (key == null) return resolve(source, args, context, info)
      if (showsTokens)
        throw refused('`Idempotency-Key` is not taken here: tokens are handed out once.')
      context.once ??= await begin(context, key, info)
      context.once.enter(String(info.path.key))
      return resolve(source, args, context, info)
    }
  }
}

function isMadeOfTokens(type: GraphQLNamedType): boolean {
  if (TOKENS.has(type.name)) return true
  if (isUnionType(type)) return type.getTypes().some(each => TOKENS.has(each.name))
  return (
    isObjectType(type) &&
    Object.values(type.getFields()).some(field => getNamedType(field.type).name === 'Authenticated')
  )
}

const refused = (message: string) =>
  new AppError('BAD_USER_INPUT', message, { reason: 'INVALID_FORMAT' })

/**
 * Writes down which request a key is for, in a transaction of its own.
 *
 * @throws {AppError} `CONFLICT` / `IDEMPOTENCY_KEY_REUSED` where it came with another one within a day.
 */
async function begin(context: OnceContext, given: string, info: GraphQLResolveInfo): Promise<Once> {
  const { viewer, now, system } = context
  if (!viewer) throw unauthenticated()
  if (!KEY.test(given)) throw refused('An `Idempotency-Key` is 1 to 255 visible ASCII characters.')
  const key = digest(`${viewer.apiKeyId ?? viewer.userId} ${given}`)
  const request = fingerprint(viewer, info)
  await context.close() // the reads of earlier fields: on PGlite they hold the only connection
  await system.rows(
    sql`delete from idempotency where key = ${key} and created_at <= ${new Date(now.getTime() - DAY_MS)}`,
  )
  await system.rows(sql`
    insert into idempotency (key, request_digest, created_at) values (${key}, ${request}, ${now}) on conflict do nothing`)
  const known = await firstRow<{ request: string }>(
    system,
    sql`select request_digest as request from idempotency where key = ${key}`,
  )
  if (known?.request !== request)
    throw conflict(
      'IDEMPOTENCY_KEY_REUSED',
      'This `Idempotency-Key` came with another request. Use a new one for each.',
    )
  return new Once(key)
}

/** The same document, operation, variables and place. */
function fingerprint(viewer: Viewer, { operation, fragments, variableValues }: GraphQLResolveInfo) {
  const document = [operation, ...Object.values(fragments)].map(node => print(node))
  const parts = [viewer.organisationId, viewer.projectId, document, variableValues]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

/**
 * The effects of one operation. The result of each is kept in the transaction of the effect itself, so that one is
 * never there without the other: whoever repeats the request, at the same moment or after a crash, gets the result
 * kept, and what failed is tried anew.
 */
export class Once {
  readonly #key: string
  /** Whether the last effect was kept from before. */
  repeated = false
  #field = ''
  #steps = 0

  constructor(key: string) {
    this.#key = key
  }

  /** A root field begins; fields of a mutation run one after the other. */
  enter(field: string): void {
    this.#field = field
    this.#steps = 0
    this.repeated = false
  }

  /** Runs a unit of work, or answers what it came to before. */
  async run<Result>(work: Work, unit: (work: Work) => Promise<Result>): Promise<Result> {
    const step = `${this.#field} ${(this.#steps += 1)}`
    // waits for a transaction under way that does the same
    const [mine] = await work.as(SYSTEM, () =>
      work.db.rows(sql`
        insert into idempotency_step (key, step) values (${this.#key}, ${step}) on conflict do nothing returning step`),
    )
    this.repeated = !mine
    if (!mine) return this.#kept<Result>(work, step)
    const result = await unit(work)
    const text = JSON.stringify(result ?? null, (name, value: unknown) =>
      SHOWN_ONCE.has(name) ? null : value,
    )
    await work.as(SYSTEM, () =>
      work.db.rows(sql`
        update idempotency_step set sealed_result = ${work.server.keys.seal(PURPOSE, text)}
        where key = ${this.#key} and step = ${step}`),
    )
    return result
  }

  async #kept<Result>(work: Work, step: string): Promise<Result> {
    const row = await work.as(SYSTEM, () =>
      firstRow<{ sealed: string | null }>(
        work.db,
        sql`select sealed_result as sealed from idempotency_step where key = ${this.#key} and step = ${step}`,
      ),
    )
    if (!row?.sealed) throw forbidden('POLICY_FORBIDS', 'This `Idempotency-Key` ran out just now.')
    return JSON.parse(work.server.keys.open(PURPOSE, row.sealed)) as Result
  }
}
