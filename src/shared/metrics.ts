import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** What came of a try to sign in; `challenged` goes on with a second factor. */
export type SignInOutcome = 'succeeded' | 'challenged' | 'refused' | 'delayed' | 'failed'

const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
const STATEMENT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
/** Statements that are told apart by name: as many as there can be tables and verbs. */
const MOST_TEXTS = 1_000

/** How many of something there are at the moment, read when somebody asks. */
export interface Levels {
  queues: { queue: string; due: number; later: number; active: number; ageSeconds: number }[] | null
  pools: { pool: string; idle: number; busy: number; waiting: number }[]
  hashes: { active: number; waiting: number }
}

/** What one node counts of itself, as Prometheus reads it. Labels are names of ours: never what a caller sends. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #signIns = this.#counter('sign_ins_total', 'Tries to sign in, by what came of them.', [
    'outcome',
  ])
  readonly #refusals = this.#counter('refusals_total', 'Refusals, by code and reason.', [
    'code',
    'reason',
  ])
  readonly #requests = this.#histogram(
    'http_request_duration_seconds',
    'Time from a request to the end of its answer.',
    ['route', 'status'],
    REQUEST_SECONDS,
  )
  readonly #operations = this.#histogram(
    'graphql_operation_duration_seconds',
    'Time an operation took, by its kind and its first field.',
    ['kind', 'field'],
    REQUEST_SECONDS,
  )
  readonly #statements = this.#histogram(
    'database_statement_duration_seconds',
    'Time a statement took, by what it does to which table.',
    ['statement'],
    STATEMENT_SECONDS,
  )
  readonly #jobs = this.#gauge('queue_jobs', 'Jobs that wait or run.', ['queue', 'state'])
  readonly #age = this.#gauge('queue_oldest_due_seconds', 'How long the oldest job has been due.', [
    'queue',
  ])
  readonly #connections = this.#gauge('database_connections', 'Connections of a pool.', [
    'pool',
    'state',
  ])
  readonly #hashes = this.#gauge('password_hashes', 'Password hashes that are computed or wait.', [
    'state',
  ])
  readonly #up = this.#gauge('database_up', 'Whether the database answered.', [])

  constructor() {
    collectDefaultMetrics({ register: this.#registry })
  }

  signIn(outcome: SignInOutcome): void {
    this.#signIns.inc({ outcome })
  }

  refused(code: string, reason: string | undefined): void {
    this.#refusals.inc({ code, reason: reason ?? '' })
  }

  /** @param route as it was registered, such as `/graphql`; not the address that was asked for. */
  request(route: string, status: number, seconds: number): void {
    this.#requests.observe({ route, status: String(status) }, seconds)
  }

  /** @param field its first field, known to be one of the schema. */
  operation(kind: string, field: string, seconds: number): void {
    this.#operations.observe({ kind, field }, seconds)
  }

  /**
   * @param began when it was sent, as `performance.now()` tells.
   * @returns the name under which it was counted.
   */
  statement(text: string, began: number): string {
    const statement = statementLabel(text)
    this.#statements.observe({ statement }, (performance.now() - began) / 1_000)
    return statement
  }

  readonly contentType = this.#registry.contentType

  /** Everything as text. */
  async read({ queues, pools, hashes }: Levels): Promise<string> {
    this.#up.set({}, queues ? 1 : 0)
    this.#jobs.reset()
    this.#age.reset()
    for (const { queue, due, later, active, ageSeconds } of queues ?? []) {
      this.#jobs.set({ queue, state: 'due' }, due)
      this.#jobs.set({ queue, state: 'later' }, later)
      this.#jobs.set({ queue, state: 'active' }, active)
      this.#age.set({ queue }, ageSeconds)
    }
    for (const { pool, idle, busy, waiting } of pools) {
      this.#connections.set({ pool, state: 'idle' }, idle)
      this.#connections.set({ pool, state: 'busy' }, busy)
      this.#connections.set({ pool, state: 'waiting' }, waiting)
    }
    this.#hashes.set({ state: 'active' }, hashes.active)
    this.#hashes.set({ state: 'waiting' }, hashes.waiting)
    return this.#registry.metrics()
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]) {
    return new Counter<Label>({ name: `gatehouse_${name}`, help, labelNames, registers: this.#all })
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[]) {
    return new Gauge<Label>({ name: `gatehouse_${name}`, help, labelNames, registers: this.#all })
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ) {
    const registers = this.#all
    return new Histogram<Label>({ name: `gatehouse_${name}`, help, labelNames, buckets, registers })
  }

  get #all(): Registry[] {
    return [this.#registry]
  }
}

const labels = new Map<string, string>()
const WRITES = /(?<!\b(?:for|key|do)\s)\b(insert into|update|delete from)\s+([a-z_][\w.]*)/
const READS = /\bfrom\s+([a-z_][\w.]*)(?!\s*\(|[\w.])/

/** What a statement does, and to which table: `select principal`. Its text is ours, and never holds a value. */
export function statementLabel(text: string): string {
  const known = labels.get(text)
  if (known) return known
  if (labels.size >= MOST_TEXTS) return 'other'
  const write = WRITES.exec(text)
  const table = write?.[2] ?? (READS.exec(outermost(text)) ?? READS.exec(text))?.[1]
  const label = [write?.[1]!.split(' ')[0] ?? 'select', table].filter(Boolean).join(' ')
  labels.set(text, label)
  return label
}

/** A text without what stands within parentheses: the select list may ask other tables first. */
function outermost(text: string): string {
  let depth = 0
  let left = ''
  for (const letter of text) {
    if (letter === ')') depth -= 1
    if (depth === 0) left += letter
    if (letter === '(') depth += 1
  }
  return left
}
