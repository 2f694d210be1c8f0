import { afterAll, beforeAll, expect, test } from 'vitest'
import { post } from '../support/client.ts'
import { operator, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const BUDGET = 12
const VIEWER = JSON.stringify({ query: '{ viewer { operator } }' })

let server: TestServer
let person: Person

beforeAll(async () => {
  server = await startServer({ settings: { REQUESTS_PER_MINUTE: String(BUDGET) } })
  person = await operator(server)
})
afterAll(() => server.stop())

const asPerson = () => post(server.url, VIEWER, { authorization: `Bearer ${person.accessToken}` })

test('each answer tells how much of the budget is left, and what goes beyond it is refused until the minute is over', async () => {
  for (let left = BUDGET - 1; left >= 0; left--) {
    const { status, headers } = await asPerson()
    expect(status).toBe(200)
    expect(headers.get('ratelimit-limit')).toBe(String(BUDGET))
    expect(headers.get('ratelimit-remaining')).toBe(String(left))
  }

  const refused = await asPerson()
  expect(refused.status).toBe(429)
  expect(refused.json.errors[0].extensions).toMatchObject({ code: 'RATE_LIMITED' })
  const { retryAfter } = refused.json.errors[0].extensions
  expect(retryAfter).toBeGreaterThan(0)
  expect(retryAfter).toBeLessThanOrEqual(60)
  expect(refused.headers.get('retry-after')).toBe(String(retryAfter))
  expect(refused.headers.get('ratelimit-remaining')).toBe('0')
  expect(refused.json.data).toBeUndefined()
})

test('another caller has a budget of their own, whoever shares the address', async () => {
  expect((await asPerson()).status).toBe(429)
  expect((await post(server.url, VIEWER)).status).toBe(200)
})

test('a second session of the same person brings no second budget', async () => {
  expect((await asPerson()).status).toBe(429)
  const again = await operator(server)
  const answer = await post(server.url, VIEWER, { authorization: `Bearer ${again.accessToken}` })
  expect(answer.status).toBe(429)
})

test('of requests that come at once, as many are answered as there is budget for', async () => {
  const burst = await startServer({ settings: { REQUESTS_PER_MINUTE: String(BUDGET) } })
  try {
    const caller = await operator(burst)
    // handed in without a network, so that they meet in one turn of the event loop, as under load
    const answers = await Promise.all(
      Array.from({ length: BUDGET * 3 }, () =>
        burst.app.http.inject({
          method: 'POST',
          url: '/graphql',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${caller.accessToken}`,
          },
          payload: VIEWER,
        }),
      ),
    )
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(BUDGET)
    expect(answers.filter(({ statusCode }) => statusCode === 429)).toHaveLength(BUDGET * 2)
  } finally {
    await burst.stop()
  }
})
