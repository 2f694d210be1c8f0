import { BlockList, isIP } from 'node:net'
import { badInput, type Path } from '../../shared/errors.ts'

// Special-purpose addresses that are not reached over the internet, or lead back into a network (RFC 6890 and its
// registries).
const RESERVED_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** All that is handed out for use on the internet; whatever lies outside (mapped, local, multicast) is refused. */
const GLOBAL_V6 = '2000::/3'
const RESERVED_V6 = [
  // Teredo, ORCHID and other protocols
  '2001::/23',
  '2001:db8::/32',
  // carry an IPv4 address within
  '2002::/16',
  '3fff::/20',
]

function listOf(ranges: string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address, bits] = range.split('/')
    list.addSubnet(address!, Number(bits), family)
  }
  return list
}

const reservedV4 = listOf(RESERVED_V4, 'ipv4')
const reservedV6 = listOf(RESERVED_V6, 'ipv6')
const globalV6 = listOf([GLOBAL_V6], 'ipv6')

/** Whether an address is one of the internet: neither private, nor local, nor one that carries another. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !reservedV4.check(address, 'ipv4')
  if (isIP(address) !== 6 || address.includes('%')) return false
  return globalV6.check(address, 'ipv6') && !reservedV6.check(address, 'ipv6')
}

/** The host of a URL as a connection takes it: an IPv6 address without its brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')

/** Why a URL can be told at once not to be called; null where nothing speaks against it yet. */
export function faultOf(url: URL, allowPrivate: boolean): string | null {
  if (url.username || url.password) return 'Leave user name and password out of the address.'
  if (allowPrivate) return null
  if (url.protocol !== 'https:') return 'Events are posted to https addresses only.'
  const host = hostOf(url)
  if (isIP(host) ? !isPublicAddress(host) : /(^|\.)localhost\.?$/.test(host))
    return 'Events are posted to public addresses only.'
  return null
}

/** @throws {AppError} `BAD_USER_INPUT` / `URL_NOT_ALLOWED`. Names are resolved when something is sent, not here. */
export function readTarget(text: string, path: Path, allowPrivate: boolean): string {
  const url = new URL(text)
  const fault = faultOf(url, allowPrivate)
  if (fault) throw badInput(path, 'URL_NOT_ALLOWED', fault)
  // it would never be sent
  url.hash = ''
  return url.href
}
