import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, isLoopback, readConfig } from '../../src/shared/config.ts'

const KEY = Buffer.alloc(32, 1).toString('base64')
const DEVELOPMENT = { DATA_DIR: 'memory://' }
const PRODUCTION = {
  NODE_ENV: 'production',
  SECRET_KEY: KEY,
  PUBLIC_URL: 'https://id.example.com',
  DATABASE_URL: 'postgres://gatehouse@db.example.com/gatehouse',
  SMTP_URL: 'smtps://mail.example.com',
}

/** What is wrong with some settings. */
function faultsOf(environment: Record<string, string | undefined>): string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults
  }
}
const namesOf = (faults: string[]) => faults.map(fault => fault.split(':')[0]!)

describe('without any setting', () => {
  test('development has what the README says', () => {
    const config = readConfig(DEVELOPMENT)
    expect(config).toMatchObject({
      production: false,
      PORT: 4000,
      HOST: '127.0.0.1',
      PUBLIC_URL: 'http://localhost:4000',
      GRAPHIQL: true,
      INTROSPECTION: true,
      TRUST_PROXY: false,
      CORS_ORIGINS: ['https://studio.apollographql.com'],
    })
  })

  test('production refuses to start and names all that it needs at once', () => {
    const faults = faultsOf({ NODE_ENV: 'production' })
    expect(namesOf(faults).toSorted()).toEqual([
      'DATABASE_URL',
      'PUBLIC_URL',
      'SECRET_KEY',
      'SMTP_URL',
    ])
    expect(() => readConfig({ NODE_ENV: 'production' })).toThrow(/cannot start/)
  })
})

test('production shows neither schema nor explorer, unless it is asked to', () => {
  expect(readConfig(PRODUCTION)).toMatchObject({
    production: true,
    GRAPHIQL: false,
    INTROSPECTION: false,
    CORS_ORIGINS: [],
  })
  expect(readConfig({ ...PRODUCTION, GRAPHIQL: 'on', INTROSPECTION: 'true' })).toMatchObject({
    GRAPHIQL: true,
    INTROSPECTION: true,
  })
})

test.each(['SECRET_KEY', 'PUBLIC_URL', 'DATABASE_URL', 'SMTP_URL'])(
  'production without %s does not start, nor with an empty one',
  name => {
    expect(namesOf(faultsOf({ ...PRODUCTION, [name]: undefined }))).toEqual([name])
    expect(namesOf(faultsOf({ ...PRODUCTION, [name]: '' }))).toEqual([name])
  },
)

test('every fault is told at once, and no fault repeats a value', () => {
  const faults = faultsOf({
    NODE_ENV: 'production',
    PORT: 'hunter2',
    SECRET_KEY: 'hunter2hunter2',
    PUBLIC_URL: 'https://hunter2.example.com/path',
    DATABASE_URL: 'mysql://root:hunter2@db',
    SMTP_URL: 'http://user:hunter2@mail',
    DATABASE_POOL: '0',
    LOG_LEVEL: 'hunter2',
    OPERATOR_EMAIL: 'hunter2',
  })
  expect(namesOf(faults).toSorted()).toEqual([
    'DATABASE_POOL',
    'DATABASE_URL',
    'LOG_LEVEL',
    'OPERATOR_EMAIL',
    'PORT',
    'PUBLIC_URL',
    'SECRET_KEY',
    'SMTP_URL',
  ])
  expect(faults.join()).not.toContain('hunter2')
})

test.each([
  ['NODE_ENV', 'prod'],
  ['PORT', '70000'],
  ['PORT', '80.5'],
  ['PORT', '-1'],
  ['PUBLIC_URL', 'id.example.com'],
  ['PUBLIC_URL', 'https://id.example.com/gatehouse'],
  ['PUBLIC_URL', 'https://id.example.com?a=b'],
  ['PUBLIC_URL', 'https://user@id.example.com'],
  ['PUBLIC_URL', 'javascript:alert(1)'],
  ['DATABASE_URL', 'db.example.com'],
  ['SMTP_URL', 'mail.example.com:25'],
  ['SECRET_KEY', KEY.slice(4)],
  ['SECRET_KEY', `${KEY},${KEY.slice(4)}`],
  ['SECRET_KEY', Buffer.alloc(32).toString('hex')],
  ['MAIL_FROM', 'Gatehouse'],
  ['MAIL_FROM', 'a@example.com, b@example.com'],
  ['MAIL_FROM', 'A <a@example.com>, B <b@example.com>'],
  ['MAIL_FROM', 'A <a@example.com>\r\nBcc: b@example.com'],
  ['OPERATOR_EMAIL', 'operator'],
  ['GRAPHIQL', 'maybe'],
  ['TRUST_PROXY', 'true'],
  ['TRUST_PROXY', '10.0.0.0/33'],
  ['TRUST_PROXY', '10.0.0.1,proxy.example.com'],
  ['CORS_ORIGINS', '*'],
  ['CORS_ORIGINS', 'https://app.example.com/path'],
  ['CORS_ORIGINS', 'https://app.example.com,app.example.org'],
  ['ACCESS_TOKEN_SECONDS', '5'],
  ['PASSWORD_MIN_LENGTH', '4'],
  ['ARGON2_MEMORY_KIB', '8'],
])('%s is not %j', (name, value) => {
  expect(namesOf(faultsOf({ ...DEVELOPMENT, [name]: value }))).toEqual([name])
})

test.each([
  ['PUBLIC_URL', 'https://ID.example.com/', 'https://id.example.com'],
  ['MAIL_FROM', 'post@example.com', 'post@example.com'],
  ['MAIL_FROM', '"Gatehouse, Inc." <post@localhost>', '"Gatehouse, Inc." <post@localhost>'],
  ['TRUST_PROXY', '2', 2],
  ['TRUST_PROXY', 'off', false],
  ['TRUST_PROXY', 'loopback, 10.0.0.0/8,::1', ['loopback', '10.0.0.0/8', '::1']],
  [
    'CORS_ORIGINS',
    'https://a.example.com, http://localhost:3000',
    ['https://a.example.com', 'http://localhost:3000'],
  ],
  [
    'DATABASE_URL',
    'postgresql:///gatehouse?host=/run/postgresql',
    'postgresql:///gatehouse?host=/run/postgresql',
  ],
  ['GRAPHIQL', 'off', false],
  ['PORT', '', 4000],
])('%s may be %j', (name, value, read) => {
  expect(readConfig({ ...DEVELOPMENT, [name]: value })).toHaveProperty(name, read)
})

test('several secrets are read in their order, the newest first', () => {
  const keys = [Buffer.alloc(32, 2), Buffer.alloc(32, 3)]
  const text = keys.map(key => key.toString('base64')).join(' , ')
  expect(readConfig({ ...DEVELOPMENT, SECRET_KEY: text }).SECRET_KEY).toEqual(keys)
})

describe('the development mailbox', () => {
  test.each(['127.0.0.1', '127.8.9.10', '::1', 'localhost'])('is open on %s', HOST => {
    expect(isLoopback(HOST)).toBe(true)
    expect(faultsOf({ ...DEVELOPMENT, HOST })).toEqual([])
  })

  test.each([
    '0.0.0.0',
    '::',
    '192.168.1.4',
    'gatehouse.example.com',
    '127.example.com',
    '::ffff:10.0.0.1',
  ])('is refused on %s, where any visitor could read it; with SMTP it is not there', HOST => {
    expect(namesOf(faultsOf({ ...DEVELOPMENT, HOST }))).toEqual(['SMTP_URL'])
    expect(faultsOf({ ...DEVELOPMENT, HOST, SMTP_URL: 'smtp://mail.example.com' })).toEqual([])
  })
})

describe('the secret of a machine where none is set', () => {
  let folder: string
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'gatehouse-config-')), 'data')
  })
  afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }))

  test('is made once, for its owner alone, and used again', () => {
    const [first] = readConfig({ DATA_DIR: folder }).SECRET_KEY
    const file = join(folder, 'secret-key')
    expect(first).toHaveLength(32)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readConfig({ DATA_DIR: folder }).SECRET_KEY).toEqual([first])
    expect(readFileSync(file, 'utf8')).toBe(first!.toString('base64'))
    expect(readdirSync(folder)).toEqual(['secret-key'])
  })

  test('differs from machine to machine', () => {
    const secrets = ['a', 'b'].map(
      name => readConfig({ DATA_DIR: join(folder, name) }).SECRET_KEY[0],
    )
    expect(secrets[0]).not.toEqual(secrets[1])
  })

  test('is not made where one is set', () => {
    readConfig({ DATA_DIR: folder, SECRET_KEY: KEY })
    expect(() => statSync(folder)).toThrow('ENOENT')
  })

  test('is one for all that start at once', async () => {
    const module = new URL('../../src/shared/config.ts', import.meta.url).href
    const start = () =>
      new Promise<string>((resolve, reject) => {
        const source = `import('${module}').then(({ readConfig }) =>
          require('node:worker_threads').parentPort.postMessage(
            readConfig({ DATA_DIR: ${JSON.stringify(folder)} }).SECRET_KEY[0].toString('base64')))`
        new Worker(source, { eval: true }).once('message', resolve).once('error', reject)
      })
    const secrets = await Promise.all(Array.from({ length: 6 }, start))
    expect(new Set(secrets).size).toBe(1)
  })

  test('is a fault where its file is damaged or cannot be written, for a new one would lose what the old one sealed', () => {
    readConfig({ DATA_DIR: folder })
    writeFileSync(join(folder, 'secret-key'), 'too short')
    expect(namesOf(faultsOf({ DATA_DIR: folder }))).toEqual(['DATA_DIR'])
    expect(readFileSync(join(folder, 'secret-key'), 'utf8')).toBe('too short')
    expect(namesOf(faultsOf({ DATA_DIR: '/dev/null/data' }))).toEqual(['DATA_DIR'])
  })
})
