import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { canonicalEmail } from './normalise.ts'
import { isProxies, listed, trustedProxies } from './proxies.ts'
import { readStorage, type Storage } from './storage.ts'

const whole = (least: number, most: number, standard: number) =>
  z.coerce.number().int().min(least).max(most).default(standard)
const flag = z.stringbool()
const secret = z
  .string()
  .transform(text => text.split(',').map(part => Buffer.from(part.trim(), 'base64')))
  .refine(
    keys => keys.length > 0 && keys.every(key => key.length === 32),
    'must be 32 bytes in base64',
  )
const isOrigin = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { protocol, origin, href } = new URL(text)
  return /^https?:$/.test(protocol) && href === `${origin}/`
}
const NO_ORIGIN = 'must be an origin such as https://id.example.com, without a path'
const origin = z
  .string()
  .refine(isOrigin, NO_ORIGIN)
  .transform(text => new URL(text).origin)
// one mailbox, with a name or without: never a list
const ADDRESS = String.raw`[^\s@<>,;:"\\]+@[^\s@<>,;:"\\]+`
const MAILBOX = new RegExp(
  String.raw`^(?:(?:"[^"\\\r\n]*" ?|[^@<>,;:"\\\r\n]*)<${ADDRESS}>|${ADDRESS})$`,
)

/** Every setting: its name, its limits, its default and what it is for. The README's table is held against this. */
export const SETTINGS = {
  NODE_ENV: z
    .enum(['development', 'production', 'test'])
    .default('development')
    .describe('`production` refuses unsafe defaults.'),
  PORT: whole(0, 65535, 4000).describe('Port to listen on.'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  PUBLIC_URL: origin
    .optional()
    .describe(
      'Origin of every link, and `iss` and `aud` of access tokens. Default: `http://localhost:PORT`.',
    ),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('PostgreSQL 15 or newer. Default: PGlite in `DATA_DIR`.'),
  DATABASE_POOL: whole(2, 500, 10).describe('Most connections of one node to PostgreSQL.'),
  DATA_DIR: z
    .string()
    .min(1)
    .default('.data')
    .describe(
      'Where PGlite and, in development, the generated secret live. `memory://` keeps both in memory.',
    ),
  SECRET_KEY: secret
    .optional()
    .describe(
      '32 bytes in base64. Seals what must be read back and derives the rest. Several, separated by commas, rotate it: the first seals. Development: generated once.',
    ),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe('Where mail leaves. Default: the development mailbox at `/dev/mailbox`.'),
  MAIL_FROM: z
    .string()
    .regex(MAILBOX, 'must be one address, such as Gatehouse <gatehouse@example.com>')
    .default('Gatehouse <gatehouse@localhost.test>')
    .describe('Sender of every mail.'),
  OPERATOR_EMAIL: z
    .string()
    .refine(text => canonicalEmail(text) !== null, 'must be an email address')
    .default('operator@localhost.test')
    .describe('First run only: login of the first operator.'),
  OPERATOR_PASSWORD: z
    .string()
    .optional()
    .describe('First run only: their password. Default: generated and printed once.'),
  ORGANISATION_NAME: z
    .string()
    .min(1)
    .default('Gatehouse')
    .describe('First run only: name of the first organisation.'),
  GRAPHIQL: flag
    .optional()
    .describe('Serve GraphiQL on `/graphiql`. Default: on, off in production.'),
  INTROSPECTION: flag
    .optional()
    .describe('Let clients read the schema. Default: on, off in production.'),
  TRUST_PROXY: z
    .string()
    .refine(isProxies, 'must be a number of hops, or addresses and ranges separated by commas')
    .optional()
    .describe(
      'Proxies whose `X-Forwarded-For` is believed: a number of hops, or addresses and ranges separated by commas. Default: none.',
    ),
  CORS_ORIGINS: z
    .string()
    .refine(text => listed(text).every(isOrigin), NO_ORIGIN)
    .transform(text => listed(text).map(each => new URL(each).origin))
    .optional()
    .describe(
      'Origins of browser clients, separated by commas. Default: none; in development, Apollo Sandbox.',
    ),
  ACCESS_TOKEN_SECONDS: whole(30, 3600, 600).describe('Life of an access token.'),
  REFRESH_GRACE_SECONDS: whole(0, 60, 10).describe(
    'How long the refresh token just used yields the same successor again.',
  ),
  SESSION_IDLE_SECONDS: whole(60, 31_536_000, 43_200).describe(
    'Longest a session may rest. Settings in the schema may shorten it.',
  ),
  SESSION_LIFETIME_SECONDS: whole(300, 31_536_000, 2_592_000).describe(
    'Longest a session may live. Settings in the schema may shorten it.',
  ),
  STEP_UP_SECONDS: whole(30, 3600, 600).describe('How long a proof counts as a recent sign-in.'),
  MFA_CHALLENGE_SECONDS: whole(30, 3600, 300).describe(
    'How long a second factor may be awaited after a right password or link.',
  ),
  MAGIC_LINK_SECONDS: whole(60, 86_400, 600).describe('Life of a sign-in link.'),
  PASSWORD_RESET_SECONDS: whole(900, 86_400, 1800).describe(
    'Life of a link for choosing a new password.',
  ),
  EMAIL_LINK_SECONDS: whole(300, 2_592_000, 86_400).describe(
    'Life of a link that confirms an address.',
  ),
  PASSWORD_MIN_LENGTH: whole(8, 128, 15).describe(
    'First run only: least length of a password in the platform policy.',
  ),
  ARGON2_MEMORY_KIB: whole(1024, 4_194_304, 19_456).describe('Memory of one password hash.'),
  ARGON2_TIME: whole(1, 100, 2).describe('Passes of one password hash.'),
  ARGON2_CONCURRENCY: whole(1, 256, availableParallelism()).describe(
    'Password hashes computed at once. Default: number of cores.',
  ),
  REQUESTS_PER_MINUTE: whole(1, 1_000_000_000, 1_200).describe(
    'Requests of one caller that each node answers in a minute.',
  ),
  STORAGE_URL: z
    .string()
    .optional()
    .describe(
      'Where images lie, such as `s3://bucket/folder?region=eu-central-1&endpoint=https://storage.example.com`; credentials may stand in it, percent-encoded, as `s3://id:secret@bucket`. Default: the database.',
    ),
  AWS_ACCESS_KEY_ID: z
    .string()
    .optional()
    .describe('Credentials for `STORAGE_URL`, where it holds none.'),
  AWS_SECRET_ACCESS_KEY: z
    .string()
    .optional()
    .describe('The secret that belongs to `AWS_ACCESS_KEY_ID`.'),
  AWS_REGION: z
    .string()
    .default('us-east-1')
    .describe('Region of `STORAGE_URL`, where it names none.'),
  WEBHOOK_ALLOW_PRIVATE: flag
    .default(false)
    .describe(
      'Let webhooks go to private addresses, and over http. For tests and closed networks.',
    ),
  AUDIT_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('Days after which audit events are dropped. Default: never.'),
  METRICS_TOKEN: z
    .string()
    .min(20)
    .optional()
    .describe(
      'What a scraper sends to `/metrics`, as `Authorization: Bearer …`. Default: none; `/metrics` then answers this machine alone, and in production nobody.',
    ),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Where traces go, by OTLP over HTTP, such as `http://localhost:4318`. Default: nowhere.',
    ),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severity that is logged.'),
} as const

const schema = z.object(SETTINGS)
type Parsed = z.infer<typeof schema>

/** The settings in force, with every default resolved. */
export interface Config extends Omit<
  Parsed,
  | 'PUBLIC_URL'
  | 'SECRET_KEY'
  | 'GRAPHIQL'
  | 'INTROSPECTION'
  | 'CORS_ORIGINS'
  | 'TRUST_PROXY'
  | 'STORAGE_URL'
> {
  production: boolean
  PUBLIC_URL: string
  SECRET_KEY: Buffer[]
  GRAPHIQL: boolean
  INTROSPECTION: boolean
  CORS_ORIGINS: string[]
  TRUST_PROXY: false | number | string[]
  /** Null where images lie in the database. */
  STORAGE_URL: Storage | null
}

/** Everything wrong with the settings, all at once. */
export class ConfigError extends Error {
  readonly faults: string[]

  constructor(faults: string[]) {
    super(`Gatehouse cannot start:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

/** @throws {ConfigError} naming every fault. */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const read = schema.safeParse(given)
  const faults = read.error?.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`) ?? []
  const production = given.NODE_ENV === 'production'
  if (production) {
    for (const name of ['SECRET_KEY', 'PUBLIC_URL', 'DATABASE_URL', 'SMTP_URL'])
      if (!given[name]) faults.push(`${name}: production needs it`)
  }
  if (!given.SMTP_URL && !production && !isLoopback(given.HOST ?? '127.0.0.1'))
    faults.push(
      'SMTP_URL: needed when HOST is not a loopback address, for the development mailbox is open to every visitor',
    )
  const storage = given.STORAGE_URL ? readStorage(given.STORAGE_URL, given) : null
  if (typeof storage === 'string') faults.push(`STORAGE_URL: ${storage}`)
  if (faults.length || !read.data || typeof storage === 'string') throw new ConfigError(faults)

  const settings = read.data
  return {
    ...settings,
    production,
    PUBLIC_URL: settings.PUBLIC_URL ?? `http://localhost:${settings.PORT}`,
    SECRET_KEY: settings.SECRET_KEY ?? [developmentSecret(settings.DATA_DIR)],
    GRAPHIQL: settings.GRAPHIQL ?? !production,
    INTROSPECTION: settings.INTROSPECTION ?? !production,
    CORS_ORIGINS: settings.CORS_ORIGINS ?? (production ? [] : ['https://studio.apollographql.com']),
    TRUST_PROXY: trustedProxies(settings.TRUST_PROXY),
    STORAGE_URL: storage,
  }
}

/** The secret of a machine where none is set: made once and kept for its owner alone. */
function developmentSecret(folder: string): Buffer {
  if (folder.startsWith('memory:')) return randomBytes(32)
  const file = join(folder, 'secret-key')
  try {
    mkdirSync(folder, { recursive: true })
    if (!existsSync(file)) writeOnce(file, randomBytes(32).toString('base64'))
    const key = Buffer.from(readFileSync(file, 'utf8'), 'base64')
    if (key.length !== 32) throw new Error(`${file} does not hold 32 bytes in base64`)
    return key
  } catch (error) {
    throw new ConfigError([`DATA_DIR: ${(error as Error).message}`])
  }
}

/** Writes a file that appears whole or not at all, so that first starts at once agree on what it holds. */
function writeOnce(file: string, text: string): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' })
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
}
