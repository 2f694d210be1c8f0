import type { GraphiQLProps } from 'graphiql'

/**
 * Sends an operation to this server.
 *
 * An `Authorization` header still waiting for its token is left out: the server refuses a malformed one, even for
 * operations that ask for no caller.
 */
export const fetcher: GraphiQLProps['fetcher'] = async (params, options) => {
  const headers = new Headers(options?.headers)
  if (/^(bearer)?$/i.test(headers.get('authorization') ?? '')) headers.delete('authorization')
  headers.set('accept', 'application/graphql-response+json, application/json;q=0.9')
  headers.set('content-type', 'application/json')

  const response = await fetch('/graphql', {
    method: 'POST',
    headers,
    body: JSON.stringify(params),
  })
  if (/\bjson\b/.test(response.headers.get('content-type') ?? '')) return response.json()
  return { errors: [{ message: `The server answered ${response.status} ${response.statusText}.` }] }
}
