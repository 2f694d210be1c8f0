import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql'
import { canonicalEmail } from './normalise.ts'

const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i
// How PostgreSQL writes an instant in UTC: `2026-01-31 09:30:00.123456+00`, in JSON with a T and `+00:00`.
const STORED = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?\+00(?::00)?$/

/** What was given is not repeated: an error must never carry a caller's data. */
const malformed = (what: string) => new GraphQLError(`Expected ${what}.`)

/** Reads a value that stands in the document itself: a refusal says where. */
const literal =
  <Value>(read: (value: unknown) => Value) =>
  (node: ValueNode): Value => {
    try {
      return read(node.kind === Kind.STRING ? node.value : null)
    } catch (error) {
      throw error instanceof GraphQLError ? new GraphQLError(error.message, { nodes: node }) : error
    }
  }

/** Instants pass through as the text the database wrote; making Dates of them would cost half a list. */
export function writeInstant(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  const parts = typeof value === 'string' ? STORED.exec(value) : null
  if (parts) return `${parts[1]}T${parts[2]}.${(parts[3] ?? '').padEnd(3, '0').slice(0, 3)}Z`
  return new Date(value as string).toISOString()
}

function readInstant(value: unknown): Date {
  const parts = typeof value === 'string' ? RFC3339.exec(value) : null
  const date = parts && isOnCalendar(parts) ? new Date(parts[0]) : null
  const year = date?.getUTCFullYear() ?? Number.NaN
  // no database keeps the year 0, and five digits no RFC 3339
  if (!date || !(year >= 1 && year <= 9999))
    throw malformed('an RFC 3339 date and time, such as 2026-01-31T09:30:00Z')
  return date
}

/** Whether the month has that day: a Date would take 30 February for 2 March. */
function isOnCalendar([, year, month, day]: string[]): boolean {
  const date = new Date(`${year}-${month}-01T00:00:00Z`)
  if (Number.isNaN(date.getTime())) return false
  date.setUTCDate(Number(day))
  return date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day)
}

export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'An instant in time, written as an RFC 3339 string in UTC with milliseconds.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time',
  serialize: writeInstant,
  parseValue: readInstant,
  parseLiteral: literal(readInstant),
})

function readEmail(value: unknown): string {
  const email = typeof value === 'string' ? canonicalEmail(value) : null
  if (!email) throw malformed('one email address')
  return email
}

export const EmailAddress = new GraphQLScalarType<string, string>({
  name: 'EmailAddress',
  description:
    'An email address. Input is trimmed and brought to one canonical form before use, so two spellings of one mailbox can never become two accounts.',
  specifiedByURL: 'https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address',
  serialize: String,
  parseValue: readEmail,
  parseLiteral: literal(readEmail),
})

const LONGEST_URL = 2_048

function readUrl(value: unknown): string {
  const url = typeof value === 'string' && value.length <= LONGEST_URL ? URL_OF(value) : null
  // a name and password in a URL would be kept, shown and sent on
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password)
    throw malformed('an absolute http or https URL without a user name')
  return url.href
}

const URL_OF = (text: string) => (URL.canParse(text) ? new URL(text) : null)

export const WebUrl = new GraphQLScalarType<string, string>({
  name: 'URL',
  description: 'An absolute http or https URL. Addresses that this server calls must be https.',
  specifiedByURL: 'https://url.spec.whatwg.org/#absolute-url-with-fragment-string',
  serialize: String,
  parseValue: readUrl,
  parseLiteral: literal(readUrl),
})
