import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { challenge, enrol, verify as answerChallenge } from '../support/authenticator.ts'
import { post } from '../support/client.ts'
import {
  mailedLink,
  openProject,
  OTHER_PASSWORD,
  requestMagicLink,
  requestReset,
  requestVerification,
  signUp,
} from '../support/links.ts'
import {
  freshEmail,
  newcomer,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { answer, get, open, read, send } from './pages.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

type Kind = 'reset' | 'verify' | 'confirm' | 'magic' | 'change'

/** A mailed link of each kind, and whose it is. */
async function link(
  kind: Kind,
  person?: Person,
): Promise<{ url: string; email: string; person: Person }> {
  if (kind === 'verify') {
    const email = freshEmail()
    const projectId = await openProject(admin)
    const url = await mailedLink(server, email, () => signUp(server, { projectId, email }))
    return { url, email, person: admin }
  }
  const owner = person ?? (await newcomer(admin))
  const { email } = owner
  if (kind === 'reset')
    return {
      url: await mailedLink(server, email, () => requestReset(server, email)),
      email,
      person: owner,
    }
  if (kind === 'magic')
    return {
      url: await mailedLink(server, email, () => requestMagicLink(server, email)),
      email,
      person: owner,
    }
  if (kind === 'confirm') {
    await server.database.owner('update user_account set email_verified_at = null where id = $1', [
      owner.userId,
    ])
    return {
      url: await mailedLink(server, email, () => requestVerification(server, email)),
      email,
      person: owner,
    }
  }
  const moved = freshEmail('moved')
  const url = await mailedLink(server, moved, () =>
    owner.ask(`mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`, {
      email: moved,
    }),
  )
  return { url, email: moved, person: owner }
}

/** Everything that a link could touch. */
async function traces() {
  const [row] = await server.database.owner(`
    select (select jsonb_agg(t order by id) from (select id, spent_at from link) t) as links,
      (select jsonb_agg(t order by id) from (select id, email, email_verified_at, password_hash from user_account) t) as accounts,
      (select count(*)::int from session where ended_at is null) as sessions,
      (select count(*)::int from event) as events, (select count(*)::int from attempt) as attempts`)
  return row
}

const KINDS: Kind[] = ['reset', 'verify', 'confirm', 'magic', 'change']
const PROOF = { password: PASSWORD }
const TYPED: Record<Kind, Record<string, string>> = {
  reset: { password: OTHER_PASSWORD },
  verify: { password: OTHER_PASSWORD },
  confirm: PROOF,
  magic: {},
  change: PROOF,
}

describe.each(KINDS)('the page of a link to %s', kind => {
  test('shows a form, and looking at it uses nothing up', async () => {
    const { url, email } = await link(kind)
    const before = await traces()
    const { response, html } = await open(url)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(html).toContain(`value="${email}" readonly`)
    expect(html).not.toMatch(/<script|style=|<style/)
    expect((await get(url, {}, 'HEAD')).status).toBe(200)
    expect(await traces()).toEqual(before)
  })

  test('does what it says once, and leads to a page that may be reloaded', async () => {
    const { url } = await link(kind)
    const opened = await open(url)
    const response = await send(server, opened, TYPED[kind])
    expect(response.status).toBe(303)
    const location = response.headers.get('location')!
    expect(location).toMatch(/^\/[a-z-]+\/done$/)
    expect(await (await get(`${server.url}${location}`)).text()).toMatch(/<h1>[^<]+<\/h1>/)
    const again = await send(server, opened, TYPED[kind])
    expect(again.status).toBe(410)
    expect((await get(url)).status).toBe(410)
    expect(await (await get(url)).text()).toContain('This link no longer works')
  })

  test('speaks German to whoever prefers it', async () => {
    const { url } = await link(kind)
    const { html, response } = await open(url, { 'accept-language': 'de-AT,en;q=0.5' })
    expect(html).toContain('<html lang="de">')
    expect(response.headers.get('content-language')).toBe('de')
    expect(html).toContain('E-Mail-Adresse')
  })

  test('takes forms from itself alone', async () => {
    const { url } = await link(kind)
    const before = await traces()
    const opened = await open(url)
    const forged = { ...opened, hidden: { ...opened.hidden, _csrf: 'forged' } }
    expect((await send(server, forged, TYPED[kind])).status).toBe(403)
    expect((await send(server, { ...opened, cookie: '' }, TYPED[kind])).status).toBe(403)
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }])
      expect((await send(server, opened, TYPED[kind], headers as never)).status).toBe(403)
    expect(await traces()).toEqual(before)
  })

  test('is spent, for many forms at once, by one', async () => {
    const { url } = await link(kind)
    const opened = await open(url)
    await server.database.owner('delete from attempt')
    const responses = await Promise.all(
      Array.from({ length: 12 }, () => send(server, opened, TYPED[kind])),
    )
    expect(responses.filter(({ status }) => status === 303)).toHaveLength(1)
    for (const { status } of responses) expect([303, 410, 422, 429]).toContain(status)
    await server.database.owner('delete from attempt')
  })

  test('is for its own kind of link', async () => {
    const others = KINDS.filter(other => path(other) !== path(kind))
    for (const other of others) {
      const { url } = await link(other)
      const foreign = new URL(url)
      foreign.pathname = path(kind)
      expect((await get(foreign.href)).status).toBe(410)
    }
  })
})

const path = (kind: Kind): string =>
  ({
    reset: '/reset-password',
    verify: '/verify-email',
    confirm: '/verify-email',
    magic: '/magic-link',
    change: '/change-email',
  })[kind]

test('a link that has run out says so', async () => {
  const { url, email } = await link('reset')
  await server.database.owner('update link set expires_at = now() where email = $1', [email])
  const response = await get(url)
  expect(response.status).toBe(410)
  expect(await response.text()).toContain('This link no longer works')
})

test('a weak password brings the form back with what to do, and without the password', async () => {
  for (const kind of ['reset', 'verify'] as const) {
    const { url } = await link(kind)
    const response = await answer(server, url, { password: 'short' })
    expect(response.status).toBe(422)
    const html = await response.text()
    expect(html).toContain('Not done yet')
    expect(html).toContain('Choose a password of at least 15 characters.')
    expect(html).not.toContain('value="short"')
  }
})

test('what was chosen on the pages holds', async () => {
  const reset = await link('reset')
  await answer(server, reset.url, { password: OTHER_PASSWORD })
  await signIn(server, reset.email, OTHER_PASSWORD)
  const verify = await link('verify')
  await answer(server, verify.url, { password: OTHER_PASSWORD })
  await signIn(server, verify.email, OTHER_PASSWORD)
  const change = await link('change')
  await answer(server, change.url, PROOF)
  await signIn(server, change.email)
})

describe('a page that stands in for a session', () => {
  const loginOf = async ({ userId }: Person) =>
    String(
      (await server.database.owner('select email from user_account where id = $1', [userId]))[0]!
        .email,
    )

  test.each(['confirm', 'change'] as const)(
    'wants the right password (%s), and counts wrong ones',
    async kind => {
      const { url, person } = await link(kind)
      for (let guess = 0; guess < 5; guess += 1) {
        const response = await answer(server, url, { password: 'certainly not that one' })
        expect(response.status).toBe(422)
        expect(await response.text()).toContain('This password is wrong')
      }
      expect((await answer(server, url, PROOF)).status).toBe(429)
      await server.database.owner('delete from attempt')
      expect((await answer(server, url, {})).status).toBe(422)
      await person.ask('{ me { id } }')
    },
  )

  test.each(['confirm', 'change'] as const)(
    'wants the code of an authenticator too (%s)',
    async kind => {
      const person = await newcomer(admin)
      const { app } = await enrol(person)
      const { url } = await link(kind, person)
      const without = await answer(server, url, PROOF)
      expect(without.status).toBe(422)
      expect(await without.text()).toContain('Enter a code from your authenticator app')
      const wrong = await answer(server, url, { ...PROOF, code: app.wrong() })
      expect(await wrong.text()).toContain('This code is wrong')
      const code = app.fresh()
      expect((await answer(server, url, { ...PROOF, code })).status).toBe(303)
      const email = kind === 'change' ? await loginOf(person) : person.email
      const { token } = await challenge(server, email)
      await expect(answerChallenge(server, token, code)).rejects.toBeRefused(
        'BAD_USER_INPUT',
        'CODE_INVALID',
      )
    },
  )

  test.each(['confirm', 'change'] as const)(
    'tells whoever has no password where to go (%s)',
    async kind => {
      const { url, person } = await link(kind)
      await server.database.owner('update user_account set password_hash = null where id = $1', [
        person.userId,
      ])
      const html = await (await get(url)).text()
      expect(html).toContain('Your account has no password')
      expect(html).not.toContain('<form')
    },
  )

  test('an invitation wants the code as well', async () => {
    const person = await newcomer(await organisation(server))
    const { app } = await enrol(person)
    const { addMember } = await admin.ask(
      `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } } }`,
      { input: { email: freshEmail(), firstName: 'A', lastName: 'B' } },
    )
    await server.database.owner('update user_account set email_verified_at = null where id = $1', [
      person.userId,
    ])
    const url = await mailedLink(server, person.email, () => admin.add({ email: person.email }))
    expect((await answer(server, url, { answer: 'accept', ...PROOF })).status).toBe(422)
    const code = app.fresh()
    expect((await answer(server, url, { answer: 'accept', ...PROOF, code })).status).toBe(303)
    expect(addMember.member.id).toBeTruthy()
  })
})

describe('a sign-in link', () => {
  const cookieOf = (response: Response) =>
    response.headers.getSetCookie().find(each => each.startsWith('__Host-gatehouse-refresh='))
  const refresh = async (cookie: string) =>
    (
      await post(
        server.url,
        JSON.stringify({ query: `mutation { refreshSession { accessToken user { email } } }` }),
        { cookie: cookie.split(';')[0]! },
      )
    ).json.data.refreshSession

  test('signs this browser in by the cookie that refreshing reads, and shows no token', async () => {
    const { url, email } = await link('magic')
    const response = await answer(server, url)
    const cookie = cookieOf(response)!
    expect(cookie).toMatch(/; Path=\/; Expires=[^;]+ GMT; HttpOnly; Secure; SameSite=Strict$/)
    expect((await refresh(cookie)).user).toEqual({ email })
    const done = await (await get(`${server.url}/magic-link/done`)).text()
    expect(done).toContain('You are signed in')
    expect(done).not.toContain('gr_')
  })

  test('asks for the second factor, which is guessed at by the rules', async () => {
    const person = await newcomer(admin)
    const { app } = await enrol(person)
    const { url } = await link('magic', person)
    const form = await open(url)
    const first = await send(server, form)
    expect(first.status).toBe(200)
    expect(cookieOf(first)).toBeUndefined()
    const opened = await open(url)
    expect(opened.response.status).toBe(410)
    const asked = await read(first, form.cookie)
    expect(asked.html).toContain('Enter a code')
    expect(asked.hidden.token).toBeUndefined()
    const empty = await send(server, asked, { code: '' })
    expect(empty.status).toBe(422)
    const wrong = await send(server, asked, { code: app.wrong() })
    expect(await wrong.text()).toContain('This code is wrong')
    const right = await send(server, asked, { code: app.fresh() })
    expect(right.status).toBe(303)
    expect((await refresh(cookieOf(right)!)).user).toEqual({ email: person.email })
  })

  test('tells whoever is barred by now', async () => {
    const { url, person } = await link('magic')
    const opened = await open(url)
    await server.database.owner(`update user_account set locked_at = now() where id = $1`, [
      person.userId,
    ])
    const response = await send(server, opened)
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('You cannot sign in')
    expect(cookieOf(response)).toBeUndefined()
  })
})

test('the pages log no token', async () => {
  const { url } = await link('reset')
  await answer(server, url, { password: OTHER_PASSWORD })
  const token = new URL(url).searchParams.get('token')!
  expect(server.log.some(line => line.includes(token))).toBe(false)
})
