import { expect, test } from 'vitest'
import { render } from '../../src/outbox/mail/templates.ts'

const mail = {
  template: 'invitation',
  data: {
    organisation: 'Acme <b>',
    inviter: null,
    firstName: 'Ann',
    url: 'https://id.example.com/accept-invitation?token=t',
    expiresAt: '2026-11-21T10:00:00.000Z',
  },
} as const

test('a mail is written in the language nearest to the locale of its reader', () => {
  expect(render(mail, 'de-AT').subject).toBe('Einladung zu Acme <b>')
  expect(render(mail, 'de').html).toContain('<html lang="de">')
  expect(render(mail, 'en-US').subject).toBe('Join Acme <b>')
})

test.each(['fr', '', 'constructor', 'x-klingon'])(
  'a locale without words, %j, gets English',
  locale => {
    expect(render(mail, locale).subject).toBe('Join Acme <b>')
  },
)

test('names are text in HTML, whatever they hold', () => {
  const { html, text } = render(mail, 'en')
  expect(html).not.toContain('<b>')
  expect(text).toContain('Acme <b>')
})
