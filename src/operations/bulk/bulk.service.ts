import { must } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { isTaken } from '../../database/failures.ts'
import { AppError, badInput, conflict, type Path } from '../../shared/errors.ts'
import type { Outcome } from '../../shared/outcome.ts'
import { lockOrganisation } from '../../tenancy/organisations/administration.ts'
import type { Refused } from '../audit/refusals.ts'
import type { BulkErrorPolicy, BulkMemberPayload, BulkMemberResult } from './bulk.type.ts'

/** Most rows of one request. */
const MOST_ROWS = 500
const CHUNK = 100

/** What a sound row comes to. */
export type Made = Pick<BulkMemberResult, 'member' | 'invitationUrl'>

export interface BulkOptions<Row> {
  rows: Row[]
  /** The argument that holds the rows. */
  argument: 'rows' | 'ids'
  onError: BulkErrorPolicy
  dryRun: boolean
  /** Names the member of a row: none may be named twice. Left out where rows name no member. */
  memberOf?: (row: Row) => string
  /** The mutation that asks for all of them. */
  call: string
  /** What asks for one alone: as that the trail is told of a row that was refused. */
  actOf: (row: Row) => Omit<Refused, 'error'>
}

/** A row and where it stands. */
export interface Placed<Row> {
  row: Row
  index: number
  path: Path
}

/** What a bulk request needs of the operation it belongs to. */
export interface BulkTools {
  /** Opens the transaction. */
  transact: <Result>(unit: (work: Work) => Promise<Result>) => Promise<Result>
  /** Tells the trail what was refused, in a transaction of its own. */
  noteRefusedRows: (call: string, rows: Refused[]) => Promise<void>
}

type Act<Row> = (work: Work, rows: Placed<Row>[]) => Promise<Outcome<Made>[]>

/** Thrown to undo what was done: a dry run, or a row that failed where all were to hold. */
class HeldBack extends Error {
  readonly results: BulkMemberResult[]

  constructor(results: BulkMemberResult[]) {
    super('held back')
    this.results = results
  }
}

/** @throws {AppError} `BAD_USER_INPUT` / `OUT_OF_RANGE` for more rows than one request takes. */
export function mustBeFew<Row>({ rows, argument }: BulkOptions<Row>): void {
  if (rows.length > MOST_ROWS)
    throw badInput([argument], 'OUT_OF_RANGE', `Send at most ${MOST_ROWS} rows at once.`)
}

/**
 * Does something to many rows in one transaction, in chunks that are savepoints. A chunk is decided and written as a
 * whole; where that fails for what only the database knows, such as two at once or the last administrator, its rows
 * are taken one after the other.
 *
 * With `ABORT` one failing row undoes everything. A dry run does everything and undoes it, so it predicts exactly.
 *
 * The trail is told of every row that was refused, whatever became of the others. Not so of a dry run: whoever asks what
 * would happen has tried nothing yet, and learns nothing that the same act would not tell them.
 */
export async function inBulk<Row>(
  tools: BulkTools,
  options: BulkOptions<Row>,
  act: Act<Row>,
): Promise<BulkMemberPayload> {
  const { rows, argument, dryRun, call, actOf } = options
  const placed = rows.map((row, index) => ({ row, index, path: [argument, index] }))
  // empty where the transaction is not run, for what a repeated request came to is known
  let outcomes: Outcome<Made>[] = []
  const payload = await settle(tools, options, async work => {
    // two at once would lock members, or wait for each other's addresses, in different orders
    await lockOrganisation(work, must(work.viewer, 'manageUser').organisationId)
    outcomes = await carryOut(work, placed, options, act)
    return outcomes.map((outcome, index) => resultOf(outcome, placed[index]!))
  })
  if (!dryRun)
    await tools.noteRefusedRows(
      call,
      outcomes.flatMap((outcome, index) =>
        'refusal' in outcome ? { ...actOf(rows[index]!), error: outcome.refusal } : [],
      ),
    )
  return payload
}

/** Commits what was done, or undoes it where that was asked for. */
async function settle<Row>(
  { transact }: BulkTools,
  { memberOf, onError, dryRun }: BulkOptions<Row>,
  unit: (work: Work) => Promise<BulkMemberResult[]>,
): Promise<BulkMemberPayload> {
  try {
    const results = await transact(async work => {
      const all = await unit(work)
      if (dryRun || (onError === 'ABORT' && all.some(result => result.problem)))
        throw new HeldBack(all)
      return all
    })
    return payloadOf(results, true)
  } catch (error) {
    if (!(error instanceof HeldBack)) throw error
    // links of what was undone lead nowhere, and what a dry run would add is not there
    const undone = error.results.map(result => ({
      ...result,
      invitationUrl: null,
      member: dryRun && memberOf ? result.member : null,
    }))
    return payloadOf(undone, false)
  }
}

const payloadOf = (results: BulkMemberResult[], applied: boolean): BulkMemberPayload => {
  const failed = results.filter(result => result.problem).length
  return { applied, succeeded: results.length - failed, failed, results }
}

async function carryOut<Row>(
  work: Work,
  placed: Placed<Row>[],
  { memberOf }: BulkOptions<Row>,
  act: Act<Row>,
): Promise<Outcome<Made>[]> {
  const outcomes = new Map<number, Outcome<Made>>()
  const named = new Set<string>()
  const fresh = placed.filter(({ row, index }) => {
    const member = memberOf?.(row)
    if (member === undefined) return true
    if (named.has(member))
      outcomes.set(index, {
        refusal: conflict('ALREADY_EXISTS', 'An earlier row names the same member.'),
      })
    named.add(member)
    return !outcomes.has(index)
  })
  for (let start = 0; start < fresh.length; start += CHUNK) {
    const chunk = fresh.slice(start, start + CHUNK)
    const made = await tryChunk(work, chunk, act)
    for (const [at, { index }] of chunk.entries()) outcomes.set(index, made[at]!)
  }
  return placed.map(({ index }) => outcomes.get(index)!)
}

async function tryChunk<Row>(
  work: Work,
  chunk: Placed<Row>[],
  act: Act<Row>,
): Promise<Outcome<Made>[]> {
  try {
    return await work.savepoint(() => act(work, chunk))
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    if (chunk.length === 1) return [{ refusal }]
    const outcomes: Outcome<Made>[] = []
    for (const row of chunk) outcomes.push(...(await tryChunk(work, [row], act)))
    return outcomes
  }
}

/** What a rule, or a unique index, had against it; null for every other failure. */
function refusalOf(error: unknown): AppError | null {
  if (error instanceof AppError) return error
  return isTaken(error)
    ? conflict('ALREADY_EXISTS', 'Something with the same name or address is already there.')
    : null
}

function resultOf<Row>(outcome: Outcome<Made>, { index, path }: Placed<Row>): BulkMemberResult {
  if ('done' in outcome) return { index, ...outcome.done, problem: null }
  const { code, message, details } = outcome.refusal
  return {
    index,
    member: null,
    invitationUrl: null,
    problem: {
      code,
      reason: details.reason ?? null,
      message,
      path: (details.fields?.[0]?.path ?? details.path ?? path).map(String),
    },
  }
}
