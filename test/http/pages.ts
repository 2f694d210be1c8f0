import type { TestServer } from '../support/server.ts'

// A browser without scripts, as far as these tests need one.

export const get = (url: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(url, { method, headers, redirect: 'manual' })

/** A page with its form: where it is sent, and what it holds unseen. */
export interface Opened {
  response: Response
  html: string
  action: string
  cookie: string
  hidden: Record<string, string>
}

/** Reads a page as a browser does. */
export async function read(response: Response, kept = ''): Promise<Opened> {
  const html = await response.text()
  const hidden = Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(found => [
      found[1]!,
      found[2]!,
    ]),
  )
  const cookie = response.headers.getSetCookie().find(each => each.startsWith('gatehouse-form'))
  return {
    response,
    html,
    hidden,
    action: /<form method="post" action="([^"]*)"/.exec(html)?.[1] ?? '',
    cookie: cookie?.split(';')[0] ?? kept,
  }
}

export const open = async (url: string, headers: Record<string, string> = {}) =>
  read(await get(url, headers))

/** Sends the form of a page with what was typed. */
export const send = (
  server: TestServer,
  { action, hidden, cookie }: Opened,
  typed: Record<string, string> = {},
  headers: Record<string, string> = {},
) =>
  fetch(`${server.url}${action}`, {
    method: 'POST',
    body: new URLSearchParams({ ...hidden, ...typed }),
    headers: { cookie, ...headers },
    redirect: 'manual',
  })

/** Opens a link, fills its form in and sends it. */
export const answer = async (
  server: TestServer,
  url: string,
  typed: Record<string, string> = {},
  headers: Record<string, string> = {},
) => send(server, await open(url), typed, headers)
