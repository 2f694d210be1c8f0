import { lookup as resolveName } from 'node:dns/promises'
import { request as overHttp, type IncomingMessage } from 'node:http'
import { request as overHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { faultOf, hostOf, isPublicAddress } from './targets.ts'

/** The whole exchange has this long, from the look-up of the name to the end of the answer. */
export const LIMIT_MS = 10_000
/** As much of an answer is waited for, and thrown away: nobody is shown what a receiver says. */
const MOST_BYTES = 65_536

interface Address {
  address: string
  family: number
}

export interface PostOptions {
  allowPrivate: boolean
  /** Looks a name up; tests bring one of their own. */
  resolve?: (host: string) => Promise<Address[]>
}

/** One attempt to post something. */
export interface Posting {
  url: string
  headers: Record<string, string>
  body: string
  /** Aborted where the attempt has to be given up. */
  signal: AbortSignal
}

/** What came of an attempt; the status is null where no answer came back, and `fault` then says why. */
export interface Answer {
  status: number | null
  fault: string | null
  durationMs: number
}

/**
 * Posts to addresses that others chose. The name is looked up once and the connection goes to what was found then, so
 * that a name which points elsewhere a moment later leads nowhere else. Redirects are answers like any other.
 */
export const createPost =
  ({ allowPrivate, resolve = host => resolveName(host, { all: true }) }: PostOptions) =>
  async ({ url, headers, body, signal }: Posting): Promise<Answer> => {
    const begun = performance.now()
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
    const answer = (status: number | null, fault: string | null): Answer => ({
      status,
      fault,
      durationMs: Math.round(performance.now() - begun),
    })
    const target = new URL(url)
    // settings may have changed since it was accepted
    const fault = faultOf(target, allowPrivate)
    if (fault) return answer(null, fault)
    try {
      const addresses = await orAborted(resolve(hostOf(target)), limited)
      if (!addresses.length) return answer(null, 'The name leads nowhere.')
      if (!allowPrivate && !addresses.every(({ address }) => isPublicAddress(address)))
        return answer(null, 'The name leads to an address that is not public.')
      return answer(await exchange(target, addresses, { headers, body, signal: limited }), null)
    } catch (error) {
      const { code, name } = error as NodeJS.ErrnoException
      return answer(null, typeof code === 'string' ? code : name)
    }
  }

/** A look-up cannot be called off, but need not be waited for. */
const orAborted = <Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> =>
  Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      const abort = () => reject(signal.reason as Error)
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    }),
  ])

function exchange(
  target: URL,
  addresses: Address[],
  { headers, body, signal }: Omit<Posting, 'url'>,
): Promise<number> {
  const send = target.protocol === 'https:' ? overHttps : overHttp
  const lookup: LookupFunction = (_host, { all }, done) =>
    all ? done(null, addresses) : done(null, addresses[0]!.address, addresses[0]!.family)
  return new Promise((resolve, reject) => {
    // a connection that is kept could lead to what an earlier look-up found
    const options = { method: 'POST', headers, lookup, signal, agent: false }
    let status: number | undefined
    const sent = send(target, options, response => {
      status = response.statusCode!
      void drained(response).finally(() => {
        sent.destroy()
        resolve(response.statusCode!)
      })
    })
    sent.on('error', error => (status === undefined ? reject(error) : resolve(status)))
    sent.end(body)
  })
}

/** Lets a receiver say what it has to say, within limits; its status counts even where the rest does not come. */
async function drained(response: IncomingMessage): Promise<void> {
  let bytes = 0
  try {
    for await (const piece of response) {
      bytes += (piece as Buffer).length
      if (bytes > MOST_BYTES) return
    }
  } catch {
    // cut off
  }
}
