/** A bucket that speaks S3, and how to open it. */
export interface Storage {
  /** Address of the bucket and the folder in it, without a slash at the end. */
  url: string
  region: string
  accessKeyId: string
  secretAccessKey: string
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const FOLDER = /^(?:\/[\w.!*'()-]+)*\/?$/
const REGION = /^[a-z0-9-]+$/
const KNOWN = new Set(['region', 'endpoint'])

/**
 * Reads `s3://ID:SECRET@bucket/folder?region=…&endpoint=…`. Credentials that are not in it come from the usual
 * variables; without an endpoint the bucket is Amazon's.
 *
 * @returns what is wrong with it, in place of a bucket; never a part of it, for it may hold a secret.
 */
export function readStorage(
  text: string,
  usual: { AWS_ACCESS_KEY_ID?: string; AWS_SECRET_ACCESS_KEY?: string; AWS_REGION?: string },
): Storage | string {
  if (!URL.canParse(text) || !text.startsWith('s3://'))
    return 'must be an address such as s3://bucket/folder?region=eu-central-1'
  const { hostname, port, username, password, pathname, searchParams, hash } = new URL(text)
  if (!BUCKET.test(hostname) || port || hash) return 'must name a bucket after s3://'
  if (!FOLDER.test(pathname) || pathname.split('/').some(part => /^\.+$/.test(part)))
    return 'must name a folder of letters, digits and dashes, or none'
  const strange = [...searchParams.keys()].find(name => !KNOWN.has(name))
  if (strange !== undefined) return 'knows region and endpoint only'
  const region = searchParams.get('region') ?? usual.AWS_REGION ?? 'us-east-1'
  if (!REGION.test(region)) return 'must name a region such as eu-central-1'
  const endpoint = searchParams.get('endpoint') ?? `https://s3.${region}.amazonaws.com`
  if (!isOrigin(endpoint)) return 'must name an endpoint such as https://storage.example.com'
  const own = decoded(username, password)
  if (!own || Boolean(username) !== Boolean(password))
    return 'must hold both parts of the credentials, each percent-encoded, or neither'
  const accessKeyId = own.id || usual.AWS_ACCESS_KEY_ID
  const secretAccessKey = own.secret || usual.AWS_SECRET_ACCESS_KEY
  if (!accessKeyId || !secretAccessKey)
    return 'needs credentials, in itself or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  const url = `${new URL(endpoint).origin}/${hostname}${pathname.replace(/\/$/, '')}`
  return { url, region, accessKeyId, secretAccessKey }
}

function decoded(username: string, password: string): { id: string; secret: string } | null {
  try {
    return { id: decodeURIComponent(username), secret: decodeURIComponent(password) }
  } catch {
    return null
  }
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, origin, href } = new URL(text)
  return /^https?:$/.test(protocol) && href === `${origin}/`
}
