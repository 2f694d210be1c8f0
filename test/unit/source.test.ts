import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sourceOf } from '../../src/credentials/throttle/throttle.service.ts'

const group = fc.integer({ min: 0, max: 0xffff })
const groups = fc.array(group, { minLength: 8, maxLength: 8 })
const long = (parts: number[]) => parts.map(part => part.toString(16).padStart(4, '0')).join(':')
/** As browsers and proxies write it: short, the longest run of zeroes left out. */
const short = (parts: number[]) => new URL(`http://[${long(parts)}]`).hostname.slice(1, -1)

describe('the source that guesses are counted by', () => {
  test.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:203.0.113.9', '203.0.113.9'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
    ['unknown', 'unknown'],
  ])('of %j is %j', (address, source) => {
    expect(sourceOf(address)).toBe(source)
  })

  test('is the same for all addresses of one IPv6 customer, however they are written', () => {
    fc.assert(
      fc.property(groups, groups, (left, right) => {
        const neighbour = [...left.slice(0, 4), ...right.slice(4)]
        // a mapped IPv4 address is one customer by itself
        const plain = [left, neighbour].every(parts => !short(parts).startsWith('::ffff:'))
        if (!plain) return
        const sources = [
          long(left),
          short(left),
          long(left).toUpperCase(),
          long(neighbour),
          short(neighbour),
        ].map(sourceOf)
        expect(new Set(sources).size).toBe(1)
      }),
    )
  })

  test('differs between customers', () => {
    fc.assert(
      fc.property(groups, groups, (left, right) => {
        const same = left.slice(0, 4).join() === right.slice(0, 4).join()
        expect(sourceOf(long(left)) === sourceOf(long(right))).toBe(same)
      }),
    )
  })

  test('is told for whatever stands in its place', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), fc.ipV4(), fc.string()), address => {
        const source = sourceOf(address)
        if (isIPv6(address)) expect(source).toMatch(/^([0-9a-f]+:){4}:\/64$|^\d+\.\d+\.\d+\.\d+$/)
        else expect(source).toBe(address)
      }),
    )
  })
})
