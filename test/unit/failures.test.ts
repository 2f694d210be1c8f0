import { describe, expect, test } from 'vitest'
import { explain, isPassing, sayFailure } from '../../src/database/failures.ts'
import { notFound, type AppError } from '../../src/shared/errors.ts'
import { ConfigError } from '../../src/shared/config.ts'

const failure = (message: string, more: object = {}) => Object.assign(new Error(message), more)

function said(error: unknown): unknown {
  try {
    return sayFailure(error)
  } catch (thrown) {
    return thrown
  }
}

describe('a failure that passes', () => {
  test.each([
    [
      'a refused connection',
      failure('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED' }),
    ],
    [
      'a shutdown',
      failure('terminating connection due to administrator command', { code: '57P01' }),
    ],
    ['a crash elsewhere', failure('terminating connection because of crash', { code: '57P02' })],
    ['a start under way', failure('the database system is starting up', { code: '57P03' })],
    ['too many connections', failure('sorry, too many clients already', { code: '53300' })],
    ['a broken connection', failure('server closed the connection', { code: '08006' })],
    ['a deadlock', failure('deadlock detected', { code: '40P01' })],
    [
      'a lock that is not given',
      failure('canceling statement due to lock timeout', { code: '55P03' }),
    ],
    [
      'a statement that takes too long',
      failure('canceling statement due to statement timeout', { code: '57014' }),
    ],
    ['an end without a word', failure('Connection terminated unexpectedly')],
    ['a pool without a free connection', failure('timeout exceeded when trying to connect')],
    [
      'a client that broke before',
      failure('Client has encountered a connection error and is not queryable'),
    ],
    ['a cause that passes', failure('wrapped', { cause: failure('', { code: '57P01' }) })],
  ])('is %s', (_what, error) => {
    expect(isPassing(error)).toBe(true)
    expect(said(error)).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      details: { retryAfter: 1 },
      cause: error,
    })
  })
})

describe('a failure that stays', () => {
  test.each([
    ['a mistake in a statement', failure('syntax error', { code: '42601' })],
    ['a value that does not fit', failure('value too long', { code: '22001' })],
    ['a broken rule', failure('violates check constraint', { code: '23514' })],
    ['an error whose code is a number', failure('aborted', { code: 20 })],
    ['a mistake of ours', new TypeError('undefined is not a function')],
    ['no error at all', 'text'],
    ['nothing', null],
  ])('is %s', (_what, error) => {
    expect(isPassing(error)).toBe(false)
    expect(said(error)).toBe(error)
  })

  test('is a refusal, whatever caused it', () => {
    const refusal = notFound('member')
    expect(said(refusal)).toBe(refusal)
  })
})

test('what an index refuses is a conflict, without the words of the database', () => {
  const error = failure('duplicate key value violates unique constraint "principal_email"', {
    code: '23505',
    detail: 'Key (email)=(ann@example.com) already exists.',
  })
  const conflict = said(failure('wrapped', { cause: error })) as AppError
  expect(conflict).toMatchObject({ code: 'CONFLICT', details: { reason: 'ALREADY_EXISTS' } })
  expect(conflict.message).not.toMatch(/principal_email|ann@/)
})

describe('whoever starts a server reads', () => {
  test('a sentence where its surroundings are at fault', () => {
    expect(explain(new ConfigError(['PORT: too high']))).toBe(
      'Gatehouse cannot start:\n  - PORT: too high',
    )
    expect(explain(failure('connect ECONNREFUSED', { code: 'ECONNREFUSED' }))).toBe(
      'connect ECONNREFUSED',
    )
    const both = new AggregateError([
      failure('connect ECONNREFUSED ::1:5432', { code: 'ECONNREFUSED' }),
      failure('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED' }),
    ])
    expect(explain(both)).toBe('connect ECONNREFUSED ::1:5432\nconnect ECONNREFUSED 127.0.0.1:5432')
  })

  test('everything where we are', () => {
    const mistake = new TypeError('undefined is not a function')
    expect(explain(mistake)).toBe(mistake)
  })
})
