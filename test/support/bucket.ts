import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

const ID = 'GATEHOUSE/TEST+ID'
const SECRET = 'a secret/with+signs='
const REGION = 'eu-test-1'
const NAME = 'pictures'

/** What a bucket holds, and what it was asked. */
export interface Bucket {
  /** A `STORAGE_URL` that opens it. */
  url(secret?: string): string
  objects: Map<string, { bytes: Buffer; contentType: string }>
  /** Requests that it refused for their signature. */
  forged: string[]
  /** While set, every request, or every one it is true for, is answered so; 0 hangs up. */
  failing: number | ((method: string, path: string) => number | null) | null
  close(): Promise<void>
}

/**
 * A bucket on a port of its own that speaks as much of S3 as is needed, and computes for itself what each request should
 * have been signed with, as "Signature Version 4" tells it. Whatever is not signed so is refused.
 */
export async function openBucket(): Promise<Bucket> {
  const server = createServer((request, response) => {
    void read(request).then(body => {
      const path = new URL(request.url!, 'http://bucket').pathname
      const failing =
        typeof bucket.failing === 'function'
          ? bucket.failing(request.method!, path)
          : bucket.failing
      if (failing === 0) return request.socket.destroy()
      if (failing != null) return response.writeHead(failing).end('<Error/>')
      if (!isSigned(request, body)) {
        bucket.forged.push(`${request.method} ${path}`)
        return response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>')
      }
      const known = bucket.objects.get(path)
      switch (request.method) {
        case 'PUT':
          bucket.objects.set(path, {
            bytes: body,
            contentType: request.headers['content-type'] ?? '',
          })
          return response.writeHead(200).end()
        case 'GET':
          return known
            ? response.writeHead(200, { 'content-type': known.contentType }).end(known.bytes)
            : response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>')
        case 'DELETE':
          bucket.objects.delete(path)
          return response.writeHead(204).end()
        default:
          return response.writeHead(405).end()
      }
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const bucket: Bucket = {
    url: (secret = SECRET) =>
      `s3://${encodeURIComponent(ID)}:${encodeURIComponent(secret)}@${NAME}/people?region=${REGION}&endpoint=http://127.0.0.1:${port}`,
    objects: new Map(),
    forged: [],
    failing: null,
    close: () =>
      new Promise(done => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
  return bucket
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

const AUTHORISATION =
  /^AWS4-HMAC-SHA256 Credential=(?<id>.+)\/(?<day>\d{8})\/(?<region>[^/]+)\/s3\/aws4_request, ?SignedHeaders=(?<names>[^,]+), ?Signature=(?<signature>[0-9a-f]{64})$/

function isSigned(request: IncomingMessage, body: Buffer): boolean {
  const { headers, method, url } = request
  const given = AUTHORISATION.exec(headers.authorization ?? '')?.groups
  const at = String(headers['x-amz-date'])
  const names = given?.names?.split(';') ?? []
  if (!given || given.id !== ID || given.region !== REGION || !at.startsWith(given.day!))
    return false
  const sent = Date.parse(
    at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  )
  if (!(Math.abs(Date.now() - sent) < 900_000)) return false
  if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every(name => names.includes(name)))
    return false
  const digest = sha256(body)
  if (headers['x-amz-content-sha256'] !== digest) return false
  const { pathname, searchParams } = new URL(url!, 'http://bucket')
  const query = [...searchParams].map(pair => pair.map(encodeURIComponent).join('=')).toSorted()
  const canonical = [
    method,
    pathname,
    query.join('&'),
    ...names.map(name => `${name}:${String(headers[name]).trim()}`),
    '',
    names.join(';'),
    digest,
  ].join('\n')
  const scope = `${given.day}/${REGION}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')
  let key: Buffer = Buffer.from(`AWS4${SECRET}`)
  for (const part of scope.split('/')) key = hmac(key, part)
  return timingSafeEqual(hmac(key, text), Buffer.from(given.signature!, 'hex'))
}

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer, data: string) => createHmac('sha256', key).update(data).digest()
