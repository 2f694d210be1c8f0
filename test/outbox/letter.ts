/** A mail as it arrived. */
export interface Letter {
  /** Whom the envelope names. */
  recipients: string[]
  /** Header lines by name in lower case, unfolded, in their order. */
  headers: Map<string, string[]>
  text: string
  html: string
  raw: string
}

/** Reads a mail of two parts, text and HTML (RFC 2045, RFC 2046). */
export function readLetter(raw: string, recipients: string[]): Letter {
  const { headers, body } = divide(raw)
  const boundary = /boundary="?([^";]+)"?/.exec(only(headers, 'content-type'))?.[1]
  const parts = boundary
    ? body
        .split(`--${boundary}`)
        .slice(1, -1)
        .map(part => divide(part.trim()))
    : []
  const part = (type: string) => {
    const found = parts.find(each => only(each.headers, 'content-type').startsWith(type))
    return found ? decode(found.body, only(found.headers, 'content-transfer-encoding')) : ''
  }
  return { recipients, headers, text: part('text/plain'), html: part('text/html'), raw }
}

/** The one header of a name; an error where there are none or several. */
export function only(headers: Letter['headers'], name: string): string {
  const [value, ...more] = headers.get(name) ?? []
  if (value === undefined || more.length)
    throw new Error(`${value === undefined ? 'no' : 'several'} ${name}`)
  return value
}

/** The link in a mail. */
export function linkOf(letter: Letter): URL {
  const link = /https?:\/\/\S+/.exec(letter.text)?.[0]
  if (!link) throw new Error('a mail without a link')
  return new URL(link)
}

export const tokenOf = (letter: Letter): string => linkOf(letter).searchParams.get('token') ?? ''

function divide(text: string) {
  const at = text.search(/\r?\n\r?\n/)
  const headers: Letter['headers'] = new Map()
  for (const line of text
    .slice(0, at)
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? []
    headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), value])
  }
  return { headers, body: text.slice(at).replace(/^(\r?\n){2}/, '') }
}

function decode(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  if (encoding !== 'quoted-printable') return body
  const bytes = body
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_match, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
