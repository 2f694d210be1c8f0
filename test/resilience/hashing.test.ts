import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile, type Build } from '../bench/processes.ts'
import { until } from '../support/waiting.ts'
import { query, signIn } from './asking.ts'
import { NodeProcess, OPERATOR } from './node-process.ts'

const REFRESH = `mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken } }`

let build: Build

// loaders of TypeScript begin the threads before anything of ours can say how many
beforeAll(() => {
  build = compile()
}, 60_000)
afterAll(() => build.remove())

/** How many passwords a node compares at the moment. */
async function compared({ url }: NodeProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return Number(/gatehouse_password_hashes\{state="active"\} (\d+)/.exec(metrics)?.[1])
}

test('tokens are signed while as many passwords are compared as may be at once', async () => {
  const atOnce = 4
  const settings = {
    ARGON2_CONCURRENCY: String(atOnce),
    ARGON2_MEMORY_KIB: '65536',
    ARGON2_TIME: '12',
  }
  const node = await NodeProcess.start(settings, join(build.folder, 'src/main.js'))
  try {
    const { data } = await query(
      node.url,
      `mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { refreshToken } } }`,
      { input: OPERATOR },
    )
    const { refreshToken } = data.signIn
    const comparing = Array.from({ length: atOnce }, () => signIn(node.url))
    await until(async () => (await compared(node)) === atOnce)
    const refreshed = await query(node.url, REFRESH, { input: { refreshToken } })
    expect(refreshed.data.refreshSession.accessToken).toBeTruthy()
    expect(await compared(node)).toBe(atOnce)
    for (const { error } of await Promise.all(comparing)) expect(error).toBeUndefined()
  } finally {
    await node.kill()
  }
}, 60_000)
