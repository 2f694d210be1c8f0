import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { lock } from '../accounts/notices.ts'
import { enrol } from '../support/authenticator.ts'
import {
  mailedLink,
  openProject,
  OTHER_PASSWORD,
  requestMagicLink,
  requestReset,
  requestVerification,
  signUp,
} from '../support/links.ts'
import { mailsTo } from '../support/mailbox.ts'
import {
  freshEmail,
  newcomer,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PHONE = { width: 360, height: 740 }
const DESKTOP = { width: 1280, height: 800 }
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const installed = CHROMIUM.find(existsSync)
// A machine without a browser passes over these tests; the project's own check installs one, and does not.
const missing = !installed && !process.env.CI
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

let server: TestServer
let admin: Person
let browser: Browser

beforeAll(async () => {
  if (missing) return
  browser = await chromium.launch({ executablePath: installed ?? CHROMIUM[0], args: ARGS })
  server = await startServer()
})
beforeEach(async ({ skip }) => {
  skip(missing, 'no browser is installed')
  // authenticators move the clock, and with it the tokens of earlier tests run out
  admin = await organisation(server)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** Runs `visit` in a browser of its own that has never been here. */
async function visiting(
  options: BrowserContextOptions,
  visit: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ viewport: PHONE, ...options })
  try {
    await visit(await context.newPage())
  } finally {
    await context.close()
  }
}

/** Sends the form by keyboard, and waits for what comes. */
const submit = async (page: Page) => {
  await page.focus('main form button')
  await Promise.all([page.waitForEvent('domcontentloaded'), page.keyboard.press('Enter')])
}
const heading = (page: Page) => page.getByRole('heading', { level: 1 }).textContent()

const links: Record<string, (person: Person) => Promise<string>> = {
  reset: person => mailedLink(server, person.email, () => requestReset(server, person.email)),
  magic: person => mailedLink(server, person.email, () => requestMagicLink(server, person.email)),
  confirm: async person => {
    await server.database.owner('update user_account set email_verified_at = null where id = $1', [
      person.userId,
    ])
    return mailedLink(server, person.email, () => requestVerification(server, person.email))
  },
  change: person => {
    const email = freshEmail('moved')
    return mailedLink(server, email, () =>
      person.ask(
        `mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`,
        { email },
      ),
    )
  },
  verify: async () => {
    const email = freshEmail()
    const projectId = await openProject(admin)
    return mailedLink(server, email, () => signUp(server, { projectId, email }))
  },
}

test('without scripts, by keyboard alone, a fault is corrected and a new password holds', async () => {
  const person = await newcomer(admin)
  const url = await links.reset!(person)
  await visiting({ javaScriptEnabled: false }, async page => {
    await page.goto(url)
    expect(await page.inputValue('input[autocomplete=username]')).toBe(person.email)
    await page.focus('input[autocomplete=new-password]')
    await page.keyboard.type('short')
    await Promise.all([page.waitForEvent('domcontentloaded'), page.keyboard.press('Enter')])
    await expect.poll(() => page.evaluate('document.activeElement.className')).toBe('faults')
    await page.focus('input[autocomplete=new-password]')
    await page.keyboard.type(OTHER_PASSWORD)
    await submit(page)
    expect(await heading(page)).toBe('Your password is changed')
    await page.reload()
    expect(await heading(page)).toBe('Your password is changed')
  })
  await signIn(server, person.email, OTHER_PASSWORD)
})

test('a sign-in link signs this browser in, with the code of an authenticator', async () => {
  const person = await newcomer(admin)
  const { app } = await enrol(person)
  const url = await links.magic!(person)
  await visiting({ javaScriptEnabled: false }, async page => {
    await page.goto(url)
    await submit(page)
    expect(await heading(page)).toBe('Enter a code')
    await page.fill('input[autocomplete=one-time-code]', app.wrong())
    await submit(page)
    expect(await page.locator('.faults').textContent()).toContain('This code is wrong')
    await page.fill('input[autocomplete=one-time-code]', app.fresh())
    await submit(page)
    expect(await heading(page)).toBe('You are signed in')
    const cookies = await page.context().cookies()
    expect(cookies.map(cookie => cookie.name).toSorted()).toEqual([
      '__Host-gatehouse-refresh',
      'gatehouse-form',
    ])
  })
})

const looks = [
  { viewport: PHONE, colorScheme: 'light', bypassCSP: true },
  { viewport: DESKTOP, colorScheme: 'dark', bypassCSP: true },
] as const

test.for(looks)(
  'axe finds nothing on any of the pages at $viewport.width pixels in $colorScheme colours',
  { timeout: 120_000 },
  async look => {
    for (const [kind, make] of Object.entries(links)) {
      const person = await newcomer(admin)
      const { app } = await enrol(person)
      const url = await make(person)
      await visiting(look, async page => {
        await page.goto(url)
        await expectAccessible(page, `${kind}: form`)
        if (kind === 'magic') {
          await submit(page)
          await expectAccessible(page, 'magic: code')
        }
        await submit(page)
        await expectAccessible(page, `${kind}: faults`)
        await fillIn(page, kind, app.fresh())
        await submit(page)
        expect(page.url()).toMatch(/\/done$/)
        await expectAccessible(page, `${kind}: done`)
        await page.goto(url)
        await expectAccessible(page, `${kind}: spent`)
      })
    }
  },
)

test.for(looks)(
  'axe finds nothing on the page that stops mails at $viewport.width pixels in $colorScheme colours',
  async look => {
    const person = await newcomer(admin)
    await lock(admin, person.memberId)
    const [mail] = await mailsTo(server, person.email)
    const url = /^<(.*)>$/.exec(mail!.headers['List-Unsubscribe']!)![1]!
    for (const [locale, title, done] of [
      ['en-GB', 'Unsubscribe', 'You have unsubscribed'],
      ['de-DE', 'Mails abbestellen', 'Sie haben die Mails abbestellt'],
    ])
      await visiting({ ...look, locale }, async page => {
        await page.goto(url)
        expect(await heading(page)).toBe(title)
        await expectAccessible(page, 'stop: form')
        await submit(page)
        expect(await heading(page)).toBe(done)
        await expectAccessible(page, 'stop: done')
        await page.goto(`${url}x`)
        await expectAccessible(page, 'stop: refused')
      })
  },
)

async function fillIn(page: Page, kind: string, code: string): Promise<void> {
  if (kind === 'reset' || kind === 'verify') await page.fill('#password', OTHER_PASSWORD)
  if (kind === 'confirm' || kind === 'change') await page.fill('#password', PASSWORD)
  if (kind === 'confirm' || kind === 'change' || kind === 'magic') await page.fill('#code', code)
}

test('a phone shows all of it in one column, in letters that need no zoom, with room for fingers', async () => {
  const url = await links.change!(await newcomer(admin))
  await visiting({ viewport: { width: 320, height: 640 }, locale: 'de-DE' }, async page => {
    await page.goto(url)
    const measured = await page.evaluate<{
      overflow: number
      letters: number[]
      targets: number[]
    }>(`({
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      letters: [...document.querySelectorAll('main *')].map(element => parseFloat(getComputedStyle(element).fontSize)),
      targets: [...document.querySelectorAll('input:not([type=hidden]), button')].map(
        element => element.getBoundingClientRect().height),
    })`)
    expect(measured.overflow).toBe(0)
    expect(Math.min(...measured.letters)).toBeGreaterThanOrEqual(16)
    expect(Math.min(...measured.targets)).toBeGreaterThanOrEqual(44)
  })
})

async function expectAccessible(page: Page, name: string): Promise<void> {
  await page.evaluate(AXE)
  const { violations, incomplete, passes } = await page.evaluate<AxeResults>('axe.run()')
  const found = [...violations, ...incomplete].map(({ id, nodes }) => [
    id,
    nodes.map(node => node.target),
  ])
  expect({ name, found }).toEqual({ name, found: [] })
  expect(passes.map(pass => pass.id)).toContain('color-contrast')
}
