import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshEmail, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(() => server.stop())

const settings = (by: Person, input: Record<string, unknown>) =>
  by.ask(
    `mutation ($input: UpdateOrganisationSettingsInput!) { updateOrganisationSettings(input: $input) { organisation { id } } }`,
    { input },
  )

test('an address in whatever spelling, or an external id, is taken once in an organisation', async () => {
  const email = freshEmail()
  await admin.add({ email, externalId: 'A-1', sendInvitation: false })
  const spellings = [
    email,
    email.toUpperCase(),
    ` ${email}\t`,
    email.replace('person', 'ｐｅｒｓｏｎ'),
    email.replace('.com', '。ＣＯＭ'),
  ]
  for (const spelling of spellings)
    await expect(admin.add({ email: spelling }), spelling).rejects.toBeRefused(
      'CONFLICT',
      'ALREADY_EXISTS',
    )
  await expect(admin.add({ externalId: 'A-1' })).rejects.toBeRefused('CONFLICT', 'ALREADY_EXISTS')
  await neighbour.add({ email, externalId: 'A-1', sendInvitation: false })
  for (const [one, other] of [
    ['x@münchen.example', 'X@xn--mnchen-3ya.example'],
    ['y@cafe\u0301.example', 'y@café.example'],
  ]) {
    await admin.add({ email: one, sendInvitation: false })
    await expect(admin.add({ email: other })).rejects.toBeRefused('CONFLICT', 'ALREADY_EXISTS')
  }
})

test.each([
  '',
  'nobody',
  '@example.com',
  'a@',
  'a@b',
  'a b@example.com',
  'a@example..com',
  'a@-example.com',
  'a@example.com, b@example.com',
  'Ann <ann@example.com>',
  'a@example.com\r\nBcc: b@example.com',
  `${'a'.repeat(250)}@example.com`,
  'é@example.com',
  'a@exam ple.com',
  'a@example.com:25',
])('%j is not one address', async email => {
  const refusal = await admin.add({ email }).catch(error => error)
  expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', status: 400 })
  expect(refusal.message).not.toContain(email || 'undefined')
})

test.each([
  'a\r\nBcc: x@example.com',
  'a\nb',
  'a\u0000b',
  'a\u0085b',
  'a\u2028b',
  '\u202eevil',
  'a\u200fb',
  'a\u2066b',
  '\ud800',
  '   ',
  'a\u061cb',
  'a\u180eb',
  '\u3164',
  '\u115f\u00ad \u2800',
  'https://evil.example',
  'www.evil.example',
  'Claim at evil.example/prize',
  'x'.repeat(101),
])('%j is no name', async firstName => {
  await expect(admin.add({ firstName })).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    extensions: { fields: [{ path: ['input', 'firstName'] }] },
  })
})

test('an organisation may allow certain mail domains only', async () => {
  const strict = await organisation(server)
  await settings(strict, { allowedEmailDomains: ['Example.com', 'bücher.example'] })
  for (const email of [
    'a@evil.com',
    'a@example.com.evil.com',
    'a@sub.example.com',
    'a@notexample.com',
    'a@example.co',
  ])
    await expect(strict.add({ email }), email).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  const proven = await neighbour.bring('Member', 'proven@elsewhere.example')
  await expect(strict.add({ email: proven.email })).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await strict.add({ email: 'a@EXAMPLE.com', sendInvitation: false })
  await strict.add({ email: 'a@xn--bcher-kva.example', sendInvitation: false })
})
