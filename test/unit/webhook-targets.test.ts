import { createServer as createTlsServer } from 'node:https'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createPost, type PostOptions } from '../../src/operations/webhooks/post.ts'
import { isPublicAddress } from '../../src/operations/webhooks/targets.ts'

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.9',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%lo',
  'fec0::1',
  'ff02::1',
  'localhost',
  '',
  '127.1',
])('%s is no address of the internet', address => {
  expect(isPublicAddress(address)).toBe(false)
})

test.each([
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.1',
  '100.128.0.1',
  '2001:4860:4860::8888',
  '2606:4700::1111',
])('%s is one', address => {
  expect(isPublicAddress(address)).toBe(true)
})

describe('posting', () => {
  const servers: Server[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  })

  async function listen(server: Server): Promise<number> {
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  const post = (
    url: string,
    options: Partial<PostOptions> = {},
    signal = new AbortController().signal,
  ) => createPost({ allowPrivate: false, ...options })({ url, headers: {}, body: '{}', signal })

  test('a name is looked up once, and the connection goes to what was found then', async () => {
    const hosts: (string | undefined)[] = []
    const port = await listen(
      createServer((request, response) => {
        hosts.push(request.headers.host)
        response.writeHead(200).end()
      }),
    )
    let lookUps = 0
    const resolve = async () => {
      lookUps += 1
      // whoever asked again would be led to another machine
      return [{ address: lookUps === 1 ? '127.0.0.1' : '192.0.2.1', family: 4 }]
    }
    const url = `http://rebind.invalid:${port}/`
    expect(await post(url, { allowPrivate: true, resolve })).toMatchObject({ status: 200 })
    expect(lookUps).toBe(1)
    expect(hosts).toEqual([`rebind.invalid:${port}`])
  })

  test.each([
    [['127.0.0.1']],
    [['169.254.169.254']],
    [['::1']],
    [['8.8.8.8', '10.0.0.1']],
    [['2001:4860:4860::8888', '::ffff:127.0.0.1']],
    [[]],
  ])('a name that leads to %j is not called', async addresses => {
    let called = false
    const port = await listen(createTlsServer(() => (called = true)))
    servers.at(-1)!.on('connection', () => (called = true))
    const resolve = async () =>
      addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
    const answer = await post(`https://inner.invalid:${port}/`, { resolve })
    expect(answer).toMatchObject({ status: null, fault: expect.stringContaining('The name leads') })
    expect(called).toBe(false)
  })

  test.each(['https://127.0.0.1/', 'https://[::1]/', 'http://8.8.8.8/', 'https://localhost/'])(
    '%s is not even looked up',
    async url => {
      let lookUps = 0
      const resolve = async () => {
        lookUps += 1
        return []
      }
      expect((await post(url, { resolve })).status).toBeNull()
      expect(lookUps).toBe(0)
    },
  )

  test('a name that cannot be looked up, or takes too long to, is a failed attempt', async () => {
    const refuse = async () => {
      throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
    }
    expect(await post('https://gone.invalid/', { resolve: refuse })).toMatchObject({
      status: null,
      fault: 'ENOTFOUND',
    })
    const hang = () => new Promise<never>(() => undefined)
    const signal = AbortSignal.timeout(50)
    expect(await post('https://slow.invalid/', { resolve: hang }, signal)).toMatchObject({
      status: null,
      fault: 'TimeoutError',
    })
  })

  test('a status counts though the rest of the answer never ends, or is endless', async () => {
    const dribbling = await listen(
      createServer((_request, response) => void response.writeHead(202).write('and then')),
    )
    const answer = await post(
      `http://127.0.0.1:${dribbling}/`,
      { allowPrivate: true },
      AbortSignal.timeout(300),
    )
    expect(answer).toMatchObject({ status: 202, fault: null })

    const endless = await listen(
      createServer((_request, response) => {
        response.writeHead(200)
        const pour = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          if (!response.destroyed) response.once('drain', pour)
        }
        pour()
      }),
    )
    const cut = await post(`http://127.0.0.1:${endless}/`, { allowPrivate: true })
    expect(cut).toMatchObject({ status: 200 })
    expect(cut.durationMs).toBeLessThan(5_000)
  })
})
