import { BlockList, isIP } from 'node:net'
import { badInput, type Path } from '../../shared/errors.ts'

const MOST_RANGES = 50
type Family = 'ipv4' | 'ipv6'

interface Range {
  address: string
  bits: number
  family: Family
}

const familyOf = (address: string): Family => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

function parse(text: string): Range | null {
  const [address = '', mask, ...rest] = text.trim().split('/')
  const version = isIP(address)
  if (!version || rest.length || address.includes('%')) return null
  const most = version === 6 ? 128 : 32
  const bits = mask === undefined ? most : /^\d{1,3}$/.test(mask) ? Number(mask) : Number.NaN
  return bits >= 0 && bits <= most
    ? { address: address.toLowerCase(), bits, family: familyOf(address) }
    : null
}

/** Network ranges as typed, each as `address/bits` (RFC 4632); a lone address is a range of one. */
export function readRanges(ranges: string[], path: Path): string[] {
  if (!ranges.length)
    throw badInput(path, 'REQUIRED', 'Name at least one range, or leave the list out.')
  if (ranges.length > MOST_RANGES)
    throw badInput(path, 'OUT_OF_RANGE', `Name at most ${MOST_RANGES} ranges.`)
  return ranges.map((text, index) => {
    const range = parse(text)
    if (!range)
      throw badInput(
        [...path, index],
        'INVALID_FORMAT',
        'Name ranges such as 192.0.2.0/24 or 2001:db8::/32.',
      )
    return `${range.address}/${range.bits}`
  })
}

function listOf(ranges: string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges.map(parse))
    if (range) list.addSubnet(range.address, range.bits, range.family)
  return list
}

/** Whether an address lies in one of some ranges. An IPv4 address in IPv6 clothing counts as itself. */
export function isInRanges(address: string, ranges: string[]): boolean {
  const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  return isIP(plain) !== 0 && listOf(ranges).check(plain, familyOf(plain))
}

/** Whether every address of `inner` lies in `outer`: both begin inside, and no range of `inner` is wider. */
export const isNarrower = (inner: string[], outer: string[]): boolean =>
  inner
    .map(parse)
    .every(
      range =>
        range != null &&
        outer
          .map(parse)
          .some(
            wide =>
              wide != null &&
              wide.family === range.family &&
              wide.bits <= range.bits &&
              isInRanges(range.address, [`${wide.address}/${wide.bits}`]),
          ),
    )
