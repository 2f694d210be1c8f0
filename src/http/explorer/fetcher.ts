import type { GraphiQLProps } from 'graphiql'
import { authorize, newestToken } from './access-token.ts'

let held: string | null = null

/** Sends an operation to this server, with the access token of the latest answer that held one. */
export const fetcher: GraphiQLProps['fetcher'] = async (params, options) => {
  const headers = authorize(new Headers(options?.headers), held)
  headers.set('accept', 'application/graphql-response+json, application/json;q=0.9')
  headers.set('content-type', 'application/json')

  const response = await fetch('/graphql', {
    method: 'POST',
    headers,
    body: JSON.stringify(params),
  })
  if (!/\bjson\b/.test(response.headers.get('content-type') ?? ''))
    return {
      errors: [{ message: `The server answered ${response.status} ${response.statusText}.` }],
    }
  const answer = await response.json()
  held = newestToken(answer) ?? held
  return answer
}
