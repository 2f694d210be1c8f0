/**
 * Fills `held` into an `Authorization` header that still waits for its token. Where there is none yet the header goes:
 * the server refuses a malformed one, even for operations that ask for no caller. A header that is not there stays away.
 */
export function authorize(headers: Headers, held: string | null): Headers {
  if (!/^(bearer)?$/i.test(headers.get('authorization')?.trim() ?? '-')) return headers
  headers.delete('authorization')
  if (held) headers.set('authorization', `Bearer ${held}`)
  return headers
}

/** The access token that an answer holds, of its last field that has one: `signIn`, `switchOrganisation` and the like. */
export function newestToken(answer: { data?: Record<string, unknown> | null }): string | undefined {
  const tokens = Object.values(answer.data ?? {}).map(
    field => (field as { accessToken?: unknown } | null)?.accessToken,
  )
  return tokens.findLast(token => typeof token === 'string')
}
