import { isIP } from 'node:net'

const NETWORKS = new Set(['loopback', 'linklocal', 'uniquelocal'])
const NOBODY = new Set(['', 'false', 'off'])
const HOPS = /^\d{1,2}$/

/** The parts of a list that is separated by commas. */
export const listed = (text: string): string[] =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(Boolean)

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  if (NETWORKS.has(text)) return true
  const most = isIP(address) === 4 ? 32 : 128
  return isIP(address) > 0 && !more.length && (!bits || (/^\d+$/.test(bits) && +bits <= most))
}

/** Whether a setting names proxies: nobody, a number of hops, or addresses and ranges. */
export const isProxies = (text: string): boolean =>
  NOBODY.has(text) || HOPS.test(text) || listed(text).every(isNetwork)

/** Whose word for a visitor's address is believed: nobody's, that of so many hops, or of those that are listed. */
export function trustedProxies(text: string | undefined): false | number | string[] {
  if (text === undefined || NOBODY.has(text)) return false
  return HOPS.test(text) ? Number(text) : listed(text)
}
