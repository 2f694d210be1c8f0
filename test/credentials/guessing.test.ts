import { afterAll, beforeAll, expect, test } from 'vitest'
import { delayOf, freshSource, guess, INVALID, WRONG } from '../support/guesses.ts'
import { freshEmail, organisation, signIn } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const settings = { TRUST_PROXY: '1' }
let server: TestServer
let other: TestServer

beforeAll(async () => {
  server = await startServer({ settings })
  other = await startServer({ beside: server, settings })
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

test('what was guessed is still counted by a node that was started since', async () => {
  const { email } = await organisation(server)
  const source = freshSource()
  for (let time = 0; time < 5; time += 1)
    await expect(guess(other, email, { source, password: WRONG })).rejects.toBeRefused(...INVALID)
  const started = await startServer({ beside: server, settings })
  try {
    await delayOf(guess(started, email, { source }))
    await guess(started, email)
  } finally {
    await started.stop()
  }
})

test('guesses at a login that nobody has wait as long as at one that somebody has', async () => {
  const known = (await organisation(server)).email
  const delays: number[] = []
  for (const email of [known, freshEmail('nobody')]) {
    const source = freshSource()
    for (let time = 0; time < 5; time += 1)
      await expect(guess(server, email, { source, password: WRONG })).rejects.toBeRefused(
        ...INVALID,
      )
    delays.push(await delayOf(guess(server, email, { source, password: WRONG })))
  }
  expect(Math.abs(delays[0]! - delays[1]!)).toBeLessThanOrEqual(2)
})

test('while somebody guesses at two nodes from many sources, the owner signs in all the while', async () => {
  const { email } = await organisation(server)
  const sources = Array.from({ length: 5 }, freshSource)
  const own = freshSource()
  const guesses = Array.from({ length: 50 }, (_, index) =>
    guess(index % 2 ? server : other, email, { source: sources[index % 5]!, password: WRONG }).then(
      () => 'SIGNED_IN',
      error => error.code as string,
    ),
  )
  const entries: string[] = []
  for (let time = 0; time < 12; time += 1)
    entries.push(
      await guess(time % 2 ? server : other, email, { source: own }).then(
        () => 'SIGNED_IN',
        error => error.code as string,
      ),
    )
  const codes = await Promise.all(guesses)
  expect(new Set(entries)).toEqual(new Set(['SIGNED_IN']))
  // five from each source were looked at
  expect(codes.filter(code => code === 'UNAUTHENTICATED')).toHaveLength(25)
  expect(codes.filter(code => code === 'RATE_LIMITED')).toHaveLength(25)
  await signIn(server, email)
})
