import { ClientError, GraphQLClient, type Variables } from 'graphql-request'
import { expect } from 'vitest'

/** A refusal as a client sees it. */
export class Refusal extends Error {
  readonly code: string
  readonly reason: string | undefined
  readonly extensions: Record<string, unknown>
  readonly status: number
  readonly data: unknown

  constructor(
    status: number,
    error: { message: string; extensions?: Record<string, unknown> },
    data: unknown,
  ) {
    super(`${String(error.extensions?.code)}/${String(error.extensions?.reason)}: ${error.message}`)
    this.extensions = error.extensions ?? {}
    this.code = String(this.extensions.code)
    this.reason = this.extensions.reason as string | undefined
    this.status = status
    this.data = data
  }
}

/** Asks as a script would; whatever stands in `errors` is thrown. */
export async function ask<Data = any>(
  url: string,
  document: string,
  variables: Variables = {},
  headers: Record<string, string> = {},
): Promise<Data> {
  const client = new GraphQLClient(`${url}/graphql`, { headers })
  try {
    return await client.request<Data>(document, variables)
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    const { errors, status, data } = error.response
    const first = errors?.[0]
    if (!first) throw error
    throw new Refusal(status, first, data)
  }
}

/** Posts whatever it is given, for requests that no client library would send. */
export async function post(url: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: safeJson(text) }
}

type Answer = Awaited<ReturnType<typeof post>>

/** Refused as a whole with this status and code, naming the request, and without executing anything. */
export function expectRefused({ json, text, status, headers }: Answer, as: number, code: string) {
  expect(json, text).toMatchObject({ errors: [{ extensions: { code } }] })
  expect(status).toBe(as)
  expect(json.data).toBeUndefined()
  for (const error of json.errors)
    expect(error.extensions.requestId).toBe(headers.get('x-request-id'))
}

function safeJson(text: string): any {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
