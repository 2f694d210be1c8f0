import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { unavailable } from '../../src/shared/errors.ts'
import { freshEmail, organisation, PASSWORD, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const NEWCOMER = { firstName: 'Zoë', lastName: 'Quist', password: 'four quiet words make it' }

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

/** Invites somebody without mail, for the link. */
async function invite(email = freshEmail('invited'), by = admin) {
  const { addMember } = await by.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id invitation { id } } invitationUrl } }`,
    { input: { email, firstName: 'Typed', lastName: 'Name', sendInvitation: false } },
  )
  return {
    email,
    url: addMember.invitationUrl as string,
    id: addMember.member.invitation.id as string,
    memberId: addMember.member.id as string,
  }
}

const get = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(url, { method, headers, redirect: 'manual' })

/** Opens a link as a browser does: what the form holds, and the cookie it came with. */
async function open(url: string, headers: Record<string, string> = {}) {
  const response = await get(url, headers)
  const html = await response.text()
  const hidden = Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(found => [
      found[1]!,
      found[2]!,
    ]),
  )
  const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
  return {
    response,
    html,
    cookie,
    fields: { token: hidden.token ?? '', _csrf: hidden._csrf ?? '' },
  }
}

const send = (
  fields: Record<string, string>,
  headers: Record<string, string>,
  origin = server.url,
) =>
  fetch(`${origin}/accept-invitation`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers,
    redirect: 'manual',
  })

/** Opens a link, fills its form in and sends it. */
async function answer(
  url: string,
  typed: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const { cookie, fields } = await open(url)
  return send({ ...fields, answer: 'accept', ...typed }, { cookie, ...headers })
}

/** Everything that an acceptance could touch. */
async function traces() {
  const [row] = await server.database.owner(`
    select (select jsonb_agg(t order by id) from (select id, token_digest, closed_at, outcome from invitation) t) as invitations,
      (select jsonb_agg(t order by id) from (select id, status, user_id from principal) t) as principals,
      (select count(*)::int from user_account) as accounts, (select count(*)::int from session) as sessions,
      (select count(*)::int from event where outcome = 'SUCCEEDED') as events, (select count(*)::int from attempt) as attempts`)
  return row
}

const outcomeOf = async (id: string) =>
  (await server.database.owner('select outcome from invitation where id = $1', [id]))[0]!.outcome

const sessionsOf = async (email: string) =>
  (
    await server.database.owner(
      'select s.id from session s join user_account u on u.id = s.user_id where u.email = $1',
      [email],
    )
  ).length

test('a link opens a page that names organisation, inviter and address, and opening it changes nothing', async () => {
  const { url, email } = await invite()
  const before = await traces()
  const { response, html } = await open(url)
  const head = await get(url, {}, 'HEAD')

  expect(response.status).toBe(200)
  expect(html).toContain('<html lang="en-GB">')
  expect(html).toMatch(/<h1>Join Organisation admin-[\w-]+<\/h1>/)
  expect(html).toMatch(/Ann Lee invites you to join Organisation admin/)
  expect(html).toContain(`value="${email}" readonly`)
  expect(html).toContain('At least 15 characters.')
  expect(html).toContain('autocomplete="new-password"')
  expect(html).not.toMatch(/<script|style=|<style/)
  expect(head.status).toBe(200)
  expect(await head.text()).toBe('')
  expect(await traces()).toEqual(before)
})

test('every answer forbids scripts, foreign content, frames, referrers and copies', async () => {
  const { url } = await invite()
  for (const response of [
    await get(url),
    await get(`${server.url}/accept-invitation?token=wrong`),
    await get(`${server.url}/accept-invitation/done`),
    await send({}, {}),
  ]) {
    const { headers } = response
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; img-src 'self'",
    )
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('permissions-policy')).toContain('camera=()')
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await response.text()).not.toContain('<script')
  }
})

test('the stylesheet comes from a name that never goes stale', async () => {
  const { html } = await open((await invite()).url)
  const path = /<link rel="stylesheet" href="([^"]+)">/.exec(html)![1]
  const style = await get(server.url + path)
  expect(style.status).toBe(200)
  expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8')
  expect(style.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
})

test('a newcomer accepts, belongs to the organisation, and signs in elsewhere: the page starts no session', async () => {
  const { url, email, id } = await invite()
  const response = await answer(url, NEWCOMER)
  expect(response.status).toBe(303)
  expect(response.headers.get('location')).toBe('/accept-invitation/done')
  expect(await outcomeOf(id)).toBe('ACCEPTED')
  expect(await sessionsOf(email)).toBe(0)

  const done = await get(`${server.url}/accept-invitation/done`)
  expect(await done.text()).toContain('You belong to the organisation now.')
  const newcomer = await signIn(server, email, NEWCOMER.password)
  expect(newcomer.organisationId).toBe(admin.organisationId)
  const { me } = await newcomer.ask(`{ me { name } }`)
  expect(me.name).toBe('Zoë Quist')
})

test('everything wrong with the input is said at once, with the names kept and the password not', async () => {
  const { url, id } = await invite()
  const before = await traces()
  const response = await answer(url, {
    firstName: ' ',
    lastName: '<b>"Qu\u0027ist',
    password: 'too short',
  })
  const html = await response.text()
  expect(response.status).toBe(422)
  expect(html).toContain('<title>Not accepted yet: Join')
  expect(html).toContain('tabindex="-1" autofocus>')
  expect(html).toContain('<a href="#firstName">Enter your first name.</a>')
  expect(html).toContain('<a href="#password">Choose a password of at least 15 characters.</a>')
  expect(html).toContain('<p id="firstName-fault" class="fault">Enter your first name.</p>')
  expect(html).toMatch(
    /<input id="firstName"[^>]* aria-invalid="true" aria-describedby="firstName-fault">/,
  )
  expect(html).toMatch(
    /<input id="password"[^>]* aria-invalid="true" aria-describedby="password-hint password-fault">/,
  )
  expect(html).toMatch(
    /<input id="lastName"[^>]* value="&lt;b&gt;&quot;Qu&#39;ist" aria-invalid="false">/,
  )
  expect(html).not.toContain('too short')
  expect(await traces()).toEqual(before)

  const long = await (
    await answer(url, { ...NEWCOMER, firstName: 'x'.repeat(101), lastName: 'a\u0000b' })
  ).text()
  expect(long).toContain('<a href="#firstName">Shorten this name.</a>')
  expect(long).toContain('<a href="#lastName">Use characters that fit on one line')
  expect(await outcomeOf(id)).toBeNull()
})

test('names of people and organisations cannot smuggle markup into the page', async () => {
  const founder = await organisation(server, freshEmail('markup'))
  await founder.ask(
    `mutation ($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) { organisation { id } } }`,
    { input: { name: '"><img src=x onerror=alert(1)>' } },
  )
  const { html } = await open((await invite(undefined, founder)).url)
  expect(html).toContain('<h1>Join &quot;&gt;&lt;img src=x onerror=alert(1)&gt;</h1>')
  expect(html).not.toContain('<img')
})

test('a form without its token, or with that of another browser, is refused and changes nothing', async () => {
  const { url } = await invite()
  const before = await traces()
  const mine = await open(url)
  const theirs = await open(url)
  const form = { ...mine.fields, ...NEWCOMER, answer: 'accept' }

  for (const attempt of [
    send({ ...form, _csrf: '' }, { cookie: mine.cookie }),
    send(form, {}),
    send({ ...form, _csrf: theirs.fields._csrf }, { cookie: mine.cookie }),
    send({ ...form, answer: 'decline', _csrf: theirs.fields._csrf }, { cookie: mine.cookie }),
    send({ ...form, _csrf: '' }, { cookie: mine.cookie, 'x-csrf-token': mine.fields._csrf }),
  ]) {
    const response = await attempt
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('Open the link you received again')
  }
  expect(await traces()).toEqual(before)
  expect((await send(form, { cookie: mine.cookie })).status).toBe(303)
})

test('a form that another site sends is refused, whatever token it brings', async () => {
  const { url } = await invite()
  const { cookie, fields } = await open(url)
  const form = { ...fields, ...NEWCOMER, answer: 'accept' }
  const port = new URL(server.url).port
  const before = await traces()
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: `http://localhost.evil.example:${port}` },
    { origin: 'http://localhost:1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'null', 'sec-fetch-site': 'cross-site' },
  ] as Record<string, string>[])
    expect((await send(form, { cookie, ...headers })).status).toBe(403)
  expect(await traces()).toEqual(before)
  // a page without referrer sends no origin
  const own = await send(form, { cookie, origin: 'null', 'sec-fetch-site': 'same-origin' })
  expect(own.status).toBe(303)
})

test('in development the page works under every name of the machine', async () => {
  const { url } = await invite()
  const local = server.url.replace('localhost', '127.0.0.1')
  const { cookie, fields } = await open(url.replace('localhost', '127.0.0.1'))
  const response = await send({ ...fields, ...NEWCOMER }, { cookie, origin: local }, local)
  expect(response.status).toBe(303)
  expect(response.headers.get('location')).toBe('/accept-invitation/done')
})

test('behind https the cookie is bound to its host and the origin is the public one', async () => {
  const secure = await startServer({
    beside: server,
    settings: { PUBLIC_URL: 'https://id.example.com' },
  })
  try {
    const { url } = await invite()
    const opened = await open(url.replace(server.url, secure.url))
    expect(opened.response.headers.get('set-cookie')).toMatch(
      /^__Host-gatehouse-form=[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
    const { cookie, fields } = opened
    const from = async (origin: string) =>
      (await send({ ...fields, ...NEWCOMER }, { cookie, origin }, secure.url)).status
    expect(await from('http://id.example.com')).toBe(403)
    // in production a loopback address is as foreign as any other
    secure.app.node.server.config.production = true
    expect(await from(secure.url)).toBe(403)
    expect(await from('https://id.example.com')).toBe(303)
  } finally {
    await secure.stop()
  }
})

test('a wrong, spent, declined, revoked, replaced or expired link gives one and the same page', async () => {
  const spent = await invite()
  await answer(spent.url, NEWCOMER)
  const declined = await invite()
  await answer(declined.url, { answer: 'decline' })
  const revoked = await invite()
  await admin.ask(`mutation ($id: ID!) { revokeInvitation(id: $id) { invitation { id } } }`, {
    id: revoked.id,
  })
  const replaced = await invite()
  await admin.ask(
    `mutation ($id: ID!) { resendInvitation(id: $id, sendMail: false) { invitationUrl } }`,
    {
      id: replaced.id,
    },
  )
  const expired = await invite()
  await server.database.owner(
    `update invitation set expires_at = now() - interval '1 minute' where id = $1`,
    [expired.id],
  )
  const page = `${server.url}/accept-invitation`
  const form = await open((await invite()).url)
  const before = await traces()
  const texts = new Set<string>()
  for (const url of [
    ...[spent, declined, revoked, replaced, expired].map(link => link.url),
    page,
    `${page}?token=`,
    `${page}?token=wrong`,
    `${page}?token=a&token=b`,
  ]) {
    const response = await get(url)
    expect(response.status).toBe(410)
    texts.add(await response.text())
    const token = new URL(url).searchParams.get('token') ?? ''
    for (const choice of ['accept', 'decline']) {
      const sent = await send(
        { ...form.fields, ...NEWCOMER, token, answer: choice },
        { cookie: form.cookie },
      )
      expect(sent.status).toBe(410)
      texts.add(await sent.text())
    }
  }
  expect([...texts]).toHaveLength(1)
  expect([...texts][0]).toContain('Otherwise ask for a new one.')
  expect(await traces()).toEqual(before)
})

test('an invitation whose inviter may invite no more is as good as a dead link', async () => {
  const inviter = await organisation(server, freshEmail('inviter'))
  const { url, id } = await invite(undefined, inviter)
  await server.database.owner('update principal set locked_at = now() where id = $1', [
    inviter.memberId,
  ])
  const response = await answer(url, NEWCOMER)
  expect(response.status).toBe(410)
  expect(await outcomeOf(id)).toBeNull()
})

test('somebody whom the organisation has locked before they accepted is told whom to ask', async () => {
  const { url, id, memberId } = await invite()
  await admin.ask(`mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`, { id: memberId })
  const response = await answer(url, NEWCOMER)
  expect(response.status).toBe(403)
  expect(await response.text()).toContain('Ask whoever invited you to lift the lock')
  expect(await outcomeOf(id)).toBeNull()
})

/** Somebody invited by two organisations, who has accepted the one by mail and so proven the address. */
async function inviteProven(by: Person) {
  const invited = await invite(freshEmail('proven'), by)
  return { ...invited, member: await admin.bring('Member', invited.email) }
}

test('a proven account is asked for its own password, which is never replaced', async () => {
  const elsewhere = await organisation(server, freshEmail('elsewhere'))
  const { url, id, member } = await inviteProven(elsewhere)
  const { html } = await open(url)
  expect(html).toContain('This address has an account already.')
  expect(html).toContain('autocomplete="current-password"')
  expect(html).not.toContain('firstName')

  for (const password of ['', 'certainly not that one']) {
    const wrong = await answer(url, { ...NEWCOMER, password })
    const text = await wrong.text()
    expect(wrong.status).toBe(422)
    expect(text).toContain(password ? 'This password is wrong' : 'Enter your password.')
    expect(text).not.toContain('certainly')
  }
  expect(await outcomeOf(id)).toBeNull()

  const sessions = await sessionsOf(member.email)
  const right = await answer(url, { ...NEWCOMER, password: PASSWORD })
  expect(right.status).toBe(303)
  expect(await outcomeOf(id)).toBe('ACCEPTED')
  expect(await sessionsOf(member.email)).toBe(sessions)
  const entered = await signIn(server, member.email, PASSWORD, {
    organisationId: elsewhere.organisationId,
  })
  expect((await entered.ask(`{ me { name } }`)).me.name).toBe('Ann Lee')
})

test('guesses at that password are counted, and then a page says how long to wait', async () => {
  const { url } = await inviteProven(await organisation(server, freshEmail('guessed')))
  for (let guess = 0; guess < 5; guess += 1)
    expect((await answer(url, { password: `guess ${guess}` })).status).toBe(422)
  const response = await answer(url, { password: PASSWORD })
  expect(response.status).toBe(429)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await response.text()).toMatch(/Too many attempts[^]*Try again in \d+ seconds\./)
  await server.database.owner('delete from attempt')
})

test('a link that was not mailed does not take over an account that somebody uses', async () => {
  const first = await invite()
  await answer(first.url, NEWCOMER)
  const second = await invite(first.email, await organisation(server, freshEmail('second')))
  const response = await answer(second.url, {
    ...NEWCOMER,
    password: 'another password altogether',
  })
  expect(response.status).toBe(409)
  expect(await response.text()).toContain('Ask for a new invitation by mail.')
  expect(await outcomeOf(second.id)).toBeNull()
  await signIn(server, first.email, NEWCOMER.password)
})

test('the other button declines', async () => {
  const { url, id, email } = await invite()
  const response = await answer(url, { answer: 'decline' })
  expect(response.status).toBe(303)
  expect(response.headers.get('location')).toBe('/accept-invitation/declined')
  expect(await outcomeOf(id)).toBe('DECLINED')
  expect(
    await server.database.owner('select id from user_account where email = $1', [email]),
  ).toEqual([])
  const page = await get(`${server.url}/accept-invitation/declined`)
  expect(await page.text()).toContain('You have declined')
})

test('a server that is too busy to hash says so, and nothing was saved', async () => {
  const { url, id } = await invite()
  const hash = vi.spyOn(server.app.node.hasher, 'hash').mockRejectedValueOnce(unavailable(2))
  const response = await answer(url, NEWCOMER)
  hash.mockRestore()
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('2')
  expect(await outcomeOf(id)).toBeNull()
})

test('what went wrong inside is logged and not shown', async () => {
  const { url } = await invite()
  const hash = vi
    .spyOn(server.app.node.hasher, 'hash')
    .mockRejectedValueOnce(new Error('the inside'))
  const response = await answer(url, NEWCOMER)
  hash.mockRestore()
  const html = await response.text()
  expect(response.status).toBe(500)
  expect(html).toContain(response.headers.get('x-request-id')!)
  expect(html).not.toContain('the inside')
  expect(
    server.log.some(line => line.includes('a page failed') && line.includes('the inside')),
  ).toBe(true)
})

test('a large body and one that no form sends are refused by pages', async () => {
  const { url } = await invite()
  const { cookie, fields } = await open(url)
  const large = await send({ ...fields, firstName: 'x'.repeat(20_001) }, { cookie })
  expect(large.status).toBe(413)
  expect(await large.text()).toContain('<h1>That is too much text</h1>')
  const json = await fetch(`${server.url}/accept-invitation`, {
    method: 'POST',
    body: JSON.stringify({ ...fields, ...NEWCOMER }),
    headers: { cookie, 'content-type': 'application/json' },
  })
  expect(json.status).toBe(415)
  expect(await json.text()).toContain('<h1>That could not be read</h1>')
})

test('the page speaks the language that the browser likes best', async () => {
  const { url } = await invite()
  const ask = async (language: string) => (await open(url, { 'accept-language': language })).html
  expect(await ask('de-AT,de;q=0.9,en;q=0.8')).toContain('<html lang="de">')
  expect(await ask('de')).toContain('Einladung annehmen')
  expect(await ask('fr, de;q=0.2, en;q=0.7')).toContain('<html lang="en-GB">')
  expect(await ask('de;q=0, constructor')).toContain('<html lang="en-GB">')
  const gone = await get(`${server.url}/accept-invitation?token=x`, { 'accept-language': 'de' })
  expect(gone.headers.get('content-language')).toBe('de')
  expect(await gone.text()).toContain('Dieser Link gilt nicht mehr')
})

test('neither link nor password is ever logged', async () => {
  const { url } = await invite()
  await answer(url, { ...NEWCOMER, firstName: '' })
  await answer(url, NEWCOMER)
  const token = new URL(url).searchParams.get('token')!
  expect(server.log.some(line => line.includes('/accept-invitation'))).toBe(true)
  expect(
    server.log.filter(line => line.includes(token) || line.includes(NEWCOMER.password)),
  ).toEqual([])
})
