import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { choose } from '../accounts/notices.ts'
import { bringWith, createKey } from '../credentials/keys.ts'
import { enrol } from '../support/authenticator.ts'
import { ask } from '../support/client.ts'
import {
  magicToken,
  mailedLink,
  openProject,
  OTHER_PASSWORD,
  requestMagicLink,
  requestReset,
  reset,
  resetToken,
  signUp,
  verify,
} from '../support/links.ts'
import { mailsTo, tokenIn } from '../support/mailbox.ts'
import {
  freshEmail,
  newcomer,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { assign } from '../tenancy/verbs.ts'
import { answer, get, open, read, send, type Opened } from './pages.ts'

// What a page refuses is told and counted as what the mutation in its place refuses.

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())
// what is written is limited by the minute
beforeEach(async () => {
  server.clock.advance({ minutes: 1 })
  await server.database.owner('delete from attempt')
})

/** What is told and counted of refusals because of a step. */
async function traceOf(step: () => Promise<unknown>) {
  const before = await counters()
  const [last] = await server.database.owner(`select max(id::text) as id from event`)
  await step()
  await server.app.node.refusals.settle()
  const events = await server.database.owner(
    `select e.topic, e.refusal, e.organisation_id as "organisationId", e.actor_kind as actor, e.target_kind as target,
      e.target_id as "targetId", p.ip_address is not null as "fromSomewhere"
     from event e join event_person p on p.id = e.id where e.id > $1 and outcome = 'DENIED' order by e.id`,
    [last!.id],
  )
  const after = await counters()
  const grown = Object.entries(after)
    .map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
    .filter(([, growth]) => growth > 0)
  return { events, counted: Object.fromEntries(grown) }
}

/** What is told and counted of a mutation that is refused. */
const traceOfRefusal = (step: () => Promise<unknown>) =>
  traceOf(() => expect(step()).rejects.toBeInstanceOf(Error))

/** The counters of refusals and of sign-ins that failed. */
async function counters(): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  return Object.fromEntries(
    [...text.matchAll(/^gatehouse_(refusals|sign_ins)_total\{(.*)\} (\d+)$/gm)]
      .filter(([, , labels]) => !/succeeded|challenged/.test(labels!))
      .map(([, name, labels, value]) => [`${name} ${labels!.replaceAll('"', '')}`, Number(value)]),
  )
}

const refused = (code: string, reason: string) => ({
  [`refusals code=${code},reason=${reason}`]: 1,
})
const REFUSED_SIGN_IN = { 'sign_ins outcome=refused': 1 }
const DEAD = refused('BAD_USER_INPUT', 'TOKEN_INVALID')
const NOWHERE = { organisationId: null, actor: 'ANONYMOUS', fromSomewhere: true }

/** Somebody invited, by mail or not. */
async function invitation(by = admin, more: Record<string, unknown> = {}) {
  const { member, invitationUrl } = await by.add({ sendInvitation: false, ...more })
  return { url: invitationUrl as string, memberId: member.id as string }
}
async function moving(owner: Person): Promise<string> {
  const email = freshEmail('moved')
  const query = `mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`
  return mailedLink(server, email, () => owner.ask(query, { email }))
}
async function registered(): Promise<string> {
  const email = freshEmail()
  const projectId = await openProject(admin)
  return mailedLink(server, email, () => signUp(server, { projectId, email }))
}
const magic = (email: string) => mailedLink(server, email, () => requestMagicLink(server, email))
const SIGN_IN = `mutation ($token: String!) { signInWithMagicLink(input: { token: $token }) { __typename } }`
const JOIN = `mutation ($token: String!) { acceptInvitation(input: { token: $token, newAccount: { firstName: "A", lastName: "", password: "${OTHER_PASSWORD}" } }) { member { id } } }`
const DECLINE = `mutation ($token: String!) { declineInvitation(token: $token) { email } }`
const CONFIRM = `mutation ($token: String!) { confirmEmailChange(token: $token) { email } }`

/** For each form: a link, what is typed, the mutation in its place, and the topic of both. */
const FORMS: Record<
  string,
  {
    url: () => Promise<string>
    typed: Record<string, string>
    mutation: (token: string) => Promise<unknown>
    topic: string
  }
> = {
  'a new password': {
    url: async () => {
      const { email } = await newcomer(admin)
      return mailedLink(server, email, () => requestReset(server, email))
    },
    typed: { password: OTHER_PASSWORD },
    mutation: token => reset(server, token),
    topic: 'user.password_reset',
  },
  'an address': {
    url: registered,
    typed: { password: OTHER_PASSWORD },
    mutation: token => verify(server, token, OTHER_PASSWORD),
    topic: 'user.email_verified',
  },
  'another address': {
    url: async () => moving(await newcomer(admin)),
    typed: { password: PASSWORD },
    mutation: token => admin.ask(CONFIRM, { token }),
    topic: 'user.email_changed',
  },
  'a sign-in': {
    url: async () => magic((await newcomer(admin)).email),
    typed: {},
    mutation: token => ask(server.url, SIGN_IN, { token }),
    topic: 'session.refused',
  },
  'an invitation': {
    url: async () => (await invitation()).url,
    typed: { answer: 'accept', firstName: 'Ann', password: OTHER_PASSWORD },
    mutation: token => ask(server.url, JOIN, { token }),
    topic: 'member.joined',
  },
  'no to an invitation': {
    url: async () => (await invitation()).url,
    typed: { answer: 'decline' },
    mutation: token => ask(server.url, DECLINE, { token }),
    topic: 'invitation.declined',
  },
}

/** Ways in which a link dies while its form is open. */
const DEATHS: Record<string, (opened: Opened, typed: Record<string, string>) => Promise<unknown>> =
  {
    spent: (opened, typed) => send(server, opened, typed),
    'too old': async () => {
      await server.database.owner('update link set expires_at = now() - interval $$1 day$$')
      await server.database.owner('update invitation set expires_at = now() - interval $$1 day$$')
    },
    replaced: async opened => void (opened.hidden.token = 'nothing of ours'),
    'of another kind': async opened => {
      const { email } = await newcomer(admin)
      opened.hidden.token =
        opened.action === '/reset-password'
          ? await magicToken(server, email)
          : await resetToken(server, email)
    },
  }

describe.each(Object.entries(FORMS))('a form for %s', (_name, form) => {
  test.each(Object.entries(DEATHS))(
    'whose link is %s is refused as its mutation is',
    async (_death, die) => {
      const opened = await open(await form.url())
      expect(opened.response.status).toBe(200)
      await die(opened, form.typed)
      const page = await traceOf(async () => {
        expect((await send(server, opened, form.typed)).status).toBe(410)
      })
      const mutation = await traceOfRefusal(() => form.mutation(opened.hidden.token!))
      const counted = form.topic === 'session.refused' ? { ...DEAD, ...REFUSED_SIGN_IN } : DEAD
      expect(page).toMatchObject({
        events: [{ topic: form.topic, refusal: 'BAD_USER_INPUT/TOKEN_INVALID', ...NOWHERE }],
        counted,
      })
      expect(page.events).toHaveLength(1)
      expect(page.counted).toEqual(mutation.counted)
      // a session is what a page does without
      const actor = form.topic === 'user.email_changed' ? 'MEMBER' : 'ANONYMOUS'
      expect(mutation.events).toEqual(page.events.map(event => ({ ...event, actor })))
    },
  )

  test('leaves nothing when it is looked at, forged, or done', async () => {
    const url = await form.url()
    const dead = new URL(url)
    dead.searchParams.set('token', 'nothing of ours')
    const looked = await traceOf(async () => {
      await get(url)
      await get(url, {}, 'HEAD')
      expect((await get(dead.href)).status).toBe(410)
    })
    // a preview that is asked for in vain is counted too
    expect(looked).toEqual({ events: [], counted: DEAD })
    const opened = await open(url)
    const forged = { ...opened, hidden: { ...opened.hidden, _csrf: 'forged' } }
    const strange = await traceOf(() => send(server, forged, form.typed))
    expect(strange).toEqual({ events: [], counted: refused('BAD_REQUEST', '') })
    const done = await traceOf(() => send(server, opened, form.typed))
    expect(done).toEqual({ events: [], counted: {} })
  })
})

test('a password that is too weak is a fault of input, no refusal', async () => {
  const url = await FORMS['a new password']!.url()
  const trace = await traceOf(async () => {
    expect((await answer(server, url, { password: 'short' })).status).toBe(422)
  })
  expect(trace.events).toEqual([])
})

describe('who proves on a page that an account is theirs', () => {
  test('is told of as at a sign-in: the password, then the code, then too many of them', async () => {
    const person = await newcomer(admin)
    const { app } = await enrol(person)
    const url = await moving(person)
    const wrong = await traceOf(async () => {
      const response = await answer(server, url, { password: 'certainly not that one' })
      expect(response.status).toBe(422)
    })
    expect(wrong.events).toMatchObject([
      {
        topic: 'session.refused',
        refusal: 'UNAUTHENTICATED/CREDENTIALS_INVALID',
        target: 'Member',
      },
    ])
    expect(wrong.counted).toEqual({
      ...refused('UNAUTHENTICATED', 'CREDENTIALS_INVALID'),
      ...REFUSED_SIGN_IN,
    })
    const code = await traceOf(async () => {
      const response = await answer(server, url, { password: PASSWORD, code: app.wrong() })
      expect(response.status).toBe(422)
    })
    expect(code.events).toEqual([
      {
        ...NOWHERE,
        topic: 'session.refused',
        refusal: 'BAD_USER_INPUT/CODE_INVALID',
        target: 'User',
        targetId: person.userId,
      },
    ])
    expect(code.counted).toEqual({
      ...refused('BAD_USER_INPUT', 'CODE_INVALID'),
      ...REFUSED_SIGN_IN,
    })
    for (let guess = 0; guess < 5; guess += 1)
      await answer(server, url, { password: 'certainly not that one' })
    server.clock.advance({ seconds: 1 })
    const late = await traceOf(async () => {
      expect((await answer(server, url, { password: PASSWORD })).status).toBe(429)
    })
    expect(late.counted).toEqual({
      ...refused('RATE_LIMITED', ''),
      'sign_ins outcome=delayed': 1,
    })
  })

  test('is told of once where there were too many guesses', async () => {
    const person = await newcomer(admin)
    const url = await moving(person)
    await server.database.owner(
      `update platform_settings set failed_sign_in_limit = 1, failed_sign_in_window_minutes = 60`,
    )
    await answer(server, url, { password: 'certainly not that one' })
    const late = await traceOf(async () => {
      expect((await answer(server, url, { password: PASSWORD })).status).toBe(429)
    })
    expect(late.events).toMatchObject([{ topic: 'session.refused', refusal: 'RATE_LIMITED' }])
    await server.database.owner(
      `update platform_settings set failed_sign_in_limit = 5, failed_sign_in_window_minutes = 15`,
    )
  })
})

describe('a sign-in link', () => {
  test('of somebody who is barred by now is a refused sign-in', async () => {
    const person = await newcomer(admin)
    const opened = await open(await magic(person.email))
    await server.database.owner(`update user_account set locked_at = now() where id = $1`, [
      person.userId,
    ])
    const token = opened.hidden.token!
    const page = await traceOf(async () => {
      expect((await send(server, opened)).status).toBe(403)
    })
    expect(page.counted).toEqual({
      ...refused('UNAUTHENTICATED', 'CREDENTIALS_INVALID'),
      ...REFUSED_SIGN_IN,
    })
    expect(page.events).toMatchObject([
      { topic: 'session.refused', refusal: 'UNAUTHENTICATED/CREDENTIALS_INVALID' },
    ])
    // the refusal undid that the link was used
    expect(await traceOfRefusal(() => ask(server.url, SIGN_IN, { token }))).toEqual(page)
  })

  test('with a wrong code, and with a challenge that is over, is a refused sign-in each time', async () => {
    const person = await newcomer(admin)
    const { app } = await enrol(person)
    const form = await open(await magic(person.email))
    const asked = await read(await send(server, form), form.cookie)
    const wrong = await traceOf(async () => {
      expect((await send(server, asked, { code: app.wrong() })).status).toBe(422)
    })
    expect(wrong.events).toMatchObject([
      {
        topic: 'session.refused',
        refusal: 'BAD_USER_INPUT/CODE_INVALID',
        target: 'User',
        targetId: person.userId,
      },
    ])
    expect(wrong.counted).toEqual({
      ...refused('BAD_USER_INPUT', 'CODE_INVALID'),
      ...REFUSED_SIGN_IN,
    })
    expect((await traceOf(() => send(server, asked, { code: '' }))).events).toEqual([])
    server.clock.advance({ minutes: 6 })
    const over = await traceOf(async () => {
      expect((await send(server, asked, { code: app.fresh() })).status).toBe(410)
    })
    expect(over.events).toMatchObject([
      { topic: 'session.refused', refusal: 'BAD_USER_INPUT/TOKEN_INVALID' },
    ])
    expect(over.counted).toEqual({ ...DEAD, ...REFUSED_SIGN_IN })
  })
})

describe('an invitation', () => {
  const typed = FORMS['an invitation']!.typed

  test('to a membership that is locked is told, and so is one by somebody who may invite no more', async () => {
    const locked = await invitation()
    const opened = await open(locked.url)
    await admin.ask(`mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`, {
      id: locked.memberId,
    })
    const inviter = await bringWith(admin, ['manageUser', 'viewUser'])
    const offered = await invitation(inviter)
    const other = await open(offered.url)
    await assign(admin, inviter.memberId, (await admin.roles()).Member!)
    for (const [form, status, reason] of [
      [opened, 403, 'POLICY_FORBIDS'],
      [other, 410, 'EXCEEDS_OWN_PERMISSIONS'],
    ] as const) {
      const page = await traceOf(async () => {
        expect((await send(server, form, typed)).status).toBe(status)
      })
      expect(page.events).toMatchObject([
        { ...NOWHERE, topic: 'member.joined', refusal: `FORBIDDEN/${reason}` },
      ])
      expect(page.counted).toEqual(refused('FORBIDDEN', reason))
      const token = form.hidden.token!
      expect(await traceOfRefusal(() => ask(server.url, JOIN, { token }))).toEqual(page)
    }
  })

  test('that was not mailed, to an account that somebody uses, is told', async () => {
    const { url, memberId } = await invitation()
    const opened = await open(url)
    await server.database.owner(
      `insert into user_account (id, created_at, updated_at, email, first_name, last_name, password_hash)
       select gen_random_uuid(), now(), now(), email, 'Eve', '', 'x' from principal where id = $1`,
      [memberId],
    )
    const page = await traceOf(async () => {
      expect((await send(server, opened, typed)).status).toBe(409)
    })
    expect(page.events).toMatchObject([
      { topic: 'member.joined', refusal: 'UNAUTHENTICATED/CREDENTIALS_INVALID' },
    ])
  })
})

test('a click that stops mails with a token that is none of ours is told', async () => {
  const person = await newcomer(admin)
  await choose(person, { 'API_KEY.EMAIL': 'IMMEDIATELY' })
  await createKey(await signIn(server, admin.email), person.memberId, [])
  const [mail] = await mailsTo(server, person.email)
  const url = /^<(.*)>$/.exec(mail!.headers['List-Unsubscribe']!)![1]!
  const click = (to: string) =>
    fetch(to, { method: 'POST', body: new URLSearchParams('List-Unsubscribe=One-Click') })
  const page = await traceOf(async () => {
    expect((await click(`${url}x`)).status).toBe(410)
    expect((await get(`${url}x`)).status).toBe(410)
  })
  expect(page.events).toMatchObject([
    { ...NOWHERE, topic: 'user.notifications_changed', refusal: 'BAD_USER_INPUT/TOKEN_INVALID' },
  ])
  expect(page.counted).toEqual(DEAD)
  expect(await traceOf(() => click(url))).toEqual({ events: [], counted: {} })
})

test('a flood of forms is told by its beginning, and counted to its end', async () => {
  const opened = await open(await FORMS['a sign-in']!.url())
  opened.hidden.token = tokenIn(`${server.url}/?token=nothing`)
  server.clock.beginMinute()
  const flood = await traceOf(() =>
    Promise.all(Array.from({ length: 40 }, () => send(server, opened))),
  )
  expect(flood.events).toHaveLength(5)
  expect(flood.counted).toEqual({
    'refusals code=BAD_USER_INPUT,reason=TOKEN_INVALID': 40,
    'sign_ins outcome=refused': 40,
  })
})
