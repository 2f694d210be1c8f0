import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { freshEmail, organisation, PASSWORD, signIn, type Person } from '../support/people.ts'
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
  browser = await chromium.launch({
    executablePath: installed ?? CHROMIUM[0],
    args: ARGS,
  })
  server = await startServer()
  admin = await organisation(server)
})
beforeEach(({ skip }) => skip(missing, 'no browser is installed'))
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

async function invite(email = freshEmail('invited')): Promise<{ email: string; url: string }> {
  const { addMember } = await admin.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { invitationUrl } }`,
    { input: { email, firstName: 'Typed', lastName: 'Name', sendInvitation: false } },
  )
  return { email, url: addMember.invitationUrl }
}

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

const type = (page: Page, text: string) => page.keyboard.type(text)
const press = async (page: Page, ...keys: string[]) => {
  for (const key of keys) await page.keyboard.press(key)
}
/** Presses a key that leads to another page, and waits until that is there. */
const follow = async (page: Page, key: string) => {
  await Promise.all([page.waitForEvent('domcontentloaded'), page.keyboard.press(key)])
}
/** Where the keyboard is: an id, or a class where there is none. As text, for these tests know no DOM. */
const focus = (page: Page) =>
  expect.poll(() => page.evaluate('document.activeElement.id || document.activeElement.className'))

test('on a phone without scripts, by keyboard alone, a newcomer corrects a fault and joins', async () => {
  const { email, url } = await invite()
  await visiting({ javaScriptEnabled: false }, async page => {
    await page.goto(url)
    await press(page, 'Tab')
    await focus(page).toBe('email')
    await press(page, 'Tab', 'Tab')
    await type(page, 'Quist')
    await press(page, 'Tab')
    await focus(page).toBe('password')
    await type(page, 'too short')
    await follow(page, 'Enter')

    // the summary has the focus, and each fault in it leads to its field
    await focus(page).toBe('faults')
    await press(page, 'Tab', 'Enter')
    await focus(page).toBe('firstName')
    await type(page, 'Zoë')
    await press(page, 'Tab')
    expect(await page.inputValue('#lastName')).toBe('Quist')
    await press(page, 'Tab')
    expect(await page.inputValue('#password')).toBe('')
    await type(page, PASSWORD)
    await press(page, 'Tab')
    await follow(page, 'Enter')

    expect(page.url()).toBe(`${server.url}/accept-invitation/done`)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('You have joined')
    const cookies = await page.context().cookies()
    expect(cookies.map(cookie => cookie.name)).toEqual(['gatehouse-form'])
  })
  const newcomer = await signIn(server, email)
  expect((await newcomer.ask(`{ me { name } }`)).me.name).toBe('Zoë Quist')
})

test('by keyboard alone an invitation is declined', async () => {
  const { url } = await invite()
  await visiting({ javaScriptEnabled: false }, async page => {
    await page.goto(url)
    await press(page, ...Array<string>(6).fill('Tab'))
    expect(await page.locator(':focus').textContent()).toBe('Decline')
    await follow(page, 'Enter')
    expect(page.url()).toBe(`${server.url}/accept-invitation/declined`)
    await page.goto(url)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(
      'This link no longer works',
    )
  })
})

test('somebody with a proven account joins with its password, which the browser can fill in', async () => {
  const { email, url } = await invite()
  const elsewhere = await organisation(server, freshEmail('elsewhere'))
  await elsewhere.bring('Member', email)
  await visiting({ javaScriptEnabled: false }, async page => {
    await page.goto(url)
    expect(await page.inputValue('input[autocomplete=username]')).toBe(email)
    await page.fill('input[autocomplete=current-password]', 'certainly not that one')
    await follow(page, 'Enter')
    await focus(page).toBe('faults')
    await page.fill('input[autocomplete=current-password]', PASSWORD)
    await follow(page, 'Enter')
    expect(page.url()).toBe(`${server.url}/accept-invitation/done`)
  })
})

test('the page fetches nothing from elsewhere, sends its link to nobody, and breaks no rule of its own policy', async () => {
  const { url } = await invite()
  await visiting({}, async page => {
    const requests: { url: string; referer: string | undefined }[] = []
    const complaints: string[] = []
    page.on('request', request =>
      requests.push({ url: request.url(), referer: request.headers().referer }),
    )
    page.on('console', message => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text())
    })
    await page.goto(url)
    await page.fill('#firstName', 'Zoë')
    await page.fill('#password', PASSWORD)
    await Promise.all([page.waitForURL('**/done'), page.click('text=Accept the invitation')])
    expect(requests.length).toBeGreaterThan(3)
    for (const request of requests) {
      expect(new URL(request.url).origin).toBe(server.url)
      expect(request.referer ?? '').toBe('')
    }
    expect(complaints).toEqual([])
  })
})

test('a phone shows all of it in one column, in letters that need no zoom, with room for fingers', async () => {
  const { url } = await invite()
  await visiting({ viewport: { width: 320, height: 640 } }, async page => {
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

const looks = [PHONE, DESKTOP].flatMap(viewport =>
  (['light', 'dark'] as const).map(colorScheme => ({ viewport, colorScheme, bypassCSP: true })),
)

test.for(looks)(
  'axe finds nothing at $viewport.width pixels in $colorScheme colours',
  async look => {
    const { url } = await invite()
    await visiting(look, async page => {
      await page.goto(url)
      await expectAccessible(page, 'form')
      await Promise.all([
        page.waitForEvent('domcontentloaded'),
        page.click('text=Accept the invitation'),
      ])
      await expectAccessible(page, 'faults')
      await page.goto(`${server.url}/accept-invitation/done`)
      await expectAccessible(page, 'done')
      await page.goto(`${server.url}/accept-invitation?token=wrong`)
      await expectAccessible(page, 'refusal')
    })
  },
)

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
