import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql'
import { rules } from '../../src/graphql/schema.ts'

/** What an id stands for. */
export type Kind =
  | 'organisation'
  | 'user'
  | 'member'
  | 'serviceAccount'
  | 'principal'
  | 'role'
  | 'projectRole'
  | 'project'
  | 'projectAccess'
  | 'invitation'
  | 'apiKey'
  | 'session'
  | 'factor'
  | 'upload'
  | 'webhook'
  | 'delivery'
  | 'notification'
  | 'accessReview'
  | 'accessReviewItem'
  | 'workflow'
  | 'anything'

/** A field that somebody may try. */
export interface Door {
  /** `Mutation.addMember` */
  name: string
  type: string
  field: GraphQLField<unknown, unknown>
}

/** An id that a field takes, at a path of its arguments. */
export interface IdPlace {
  door: Door
  path: string[]
  kind: Kind
}

const door = (type: string, field: GraphQLField<unknown, unknown>): Door => ({
  name: `${type}.${field.name}`,
  type,
  field,
})

const fieldsOf = (schema: GraphQLSchema, type: string): Door[] => {
  const found = schema.getType(type)
  return isObjectType(found) ? Object.values(found.getFields()).map(field => door(type, field)) : []
}

/** Every root field, and every field below that carries a rule. */
export const doors = (schema: GraphQLSchema): Door[] => [
  ...fieldsOf(schema, 'Query'),
  ...fieldsOf(schema, 'Mutation'),
  ...Object.entries(rules)
    .filter(([type]) => type !== 'Query' && type !== 'Mutation')
    .flatMap(([type, fields]) =>
      fieldsOf(schema, type).filter(({ field }) => field.name in fields),
    ),
]

/** Every id argument of the schema, also inside inputs. */
export const idPlaces = (schema: GraphQLSchema): IdPlace[] =>
  Object.keys(schema.getTypeMap())
    .filter(type => !type.startsWith('__'))
    .flatMap(type => fieldsOf(schema, type))
    .flatMap(each => each.field.args.flatMap(arg => idsIn(each, arg.type, [arg.name])))

function idsIn(at: Door, type: GraphQLInputType, path: string[]): IdPlace[] {
  const named = getNamedType(type)
  if (named.name === 'ID') return [{ door: at, path, kind: kindOf(at, path) }]
  if (!isInputObjectType(named)) return []
  return Object.values(named.getFields()).flatMap(field =>
    idsIn(at, field.type, [...path, field.name]),
  )
}

const BY_NAME: Record<string, Kind> = {
  memberId: 'member',
  ids: 'member',
  principalId: 'principal',
  ownerId: 'principal',
  ownerIds: 'principal',
  actorIds: 'principal',
  targetIds: 'principal',
  projectId: 'project',
  projectIds: 'project',
  roleIds: 'role',
  userId: 'user',
  organisationId: 'organisation',
  replacementId: 'role',
  enrolmentId: 'factor',
  uploadId: 'upload',
  itemId: 'accessReviewItem',
  webhookId: 'webhook',
}

const BY_END: [RegExp, Kind][] = [
  [/node$/, 'anything'],
  [/(Member|Members|MemberSessions|MemberPasswordReset|\.member)$/, 'member'],
  [/(ServiceAccount|serviceAccount)$/, 'serviceAccount'],
  [/ApiKey$/, 'apiKey'],
  [/ProjectAccess$/, 'projectAccess'],
  [/(Project|\.project)$/, 'project'],
  [/(Role|\.role)$/, 'role'],
  [/Invitation$/, 'invitation'],
  [/(Organisation|\.organisation)$/, 'organisation'],
  [/(User|UserSessions|UserMfa|\.user)$/, 'user'],
  [/Session$/, 'session'],
  [/MfaFactor$/, 'factor'],
  [/(Webhook|WebhookSecret|\.webhook)$/, 'webhook'],
  [/Delivery$/, 'delivery'],
  [/(AccessReview|\.accessReview)$/, 'accessReview'],
  [/(Workflow|\.workflow)$/, 'workflow'],
]

/** @throws for an id of a kind that is not known here: say what it stands for. */
function kindOf({ name }: Door, path: string[]): Kind {
  const last = path.at(-1)!
  if (last === 'roleId' || last === 'defaultRoleId')
    return path.includes('projectAccess') ||
      path.includes('grantProjectAccess') ||
      path.includes('registration') ||
      /ProjectAccess/.test(name)
      ? 'projectRole'
      : 'role'
  if (name.endsWith('NotificationsRead')) return 'notification'
  const kind = last === 'id' ? BY_END.find(([end]) => end.test(name))?.[1] : BY_NAME[last]
  if (!kind) throw new Error(`what does ${name}(${path.join('.')}) stand for?`)
  return kind
}

let number = 0
const VALUES: Record<string, () => unknown> = {
  email: () => `someone-${(number += 1)}@example.com`,
  name: () => `Name ${(number += 1)}`,
  firstName: () => 'Ann',
  lastName: () => 'Lee',
  description: () => 'What it is for.',
  password: () => 'a password that is long enough',
  newPassword: () => 'another password that is long enough',
  // a wrong one: the right one would end the sessions of everybody else's cells
  currentPassword: () => 'a wrong guess at the password',
  token: () => 'no-such-token',
  challenge: () => 'no-such-challenge',
  code: () => '000000',
  reason: () => 'asked by telephone',
  permissions: () => [],
  scopes: () => [],
  url: () => 'https://receiver.invalid/',
  topics: () => ['member.locked'],
  trigger: () => 'member.locked',
  minutes: () => 5,
  subject: () => 'Welcome',
  body: () => 'Good to have you.',
  contentType: () => 'image/png',
  size: () => 1_000,
  dueAt: () => new Date(Date.now() + 86_400_000).toISOString(),
}

/** What fills the arguments of one call. */
export interface Filling {
  id(kind: Kind, place: string): unknown
  /** Values that count before all others, by path such as `input.email`. */
  given?: Record<string, unknown>
  /** An optional argument to fill too, by its path. */
  also?: string[]
}

/** Least arguments that the schema accepts, with ids of the right kinds. */
export function argumentsOf(at: Door, filling: Filling): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const arg of at.field.args) {
    const value = valueOf(at, arg, [arg.name], filling)
    if (value !== undefined) values[arg.name] = value
  }
  return values
}

function valueOf(
  at: Door,
  { type, defaultValue }: Pick<GraphQLArgument, 'type' | 'defaultValue'>,
  path: string[],
  filling: Filling,
): unknown {
  const place = path.join('.')
  if (filling.given && place in filling.given) return filling.given[place]
  const wanted =
    filling.also?.join('.').startsWith(place) && filling.also[path.length - 1] === path.at(-1)
  if (!wanted && (!isNonNullType(type) || defaultValue !== undefined)) return undefined
  const bare = isNonNullType(type) ? type.ofType : type
  const named = getNamedType(type)
  const asList = (value: unknown) => (isListType(bare) && !Array.isArray(value) ? [value] : value)
  if (named.name === 'ID') return asList(filling.id(kindOf(at, path), place))
  if (isInputObjectType(named)) {
    const given = Object.values(named.getFields())
    const chosen = given.find(field => wanted && field.name === filling.also?.[path.length])
    if (named.isOneOf) {
      const one = chosen ?? given.at(-1)!
      const inner = [...path, one.name]
      const also = chosen ? filling.also! : inner
      return asList({ [one.name]: valueOf(at, one, inner, { ...filling, also }) })
    }
    const fields = given.flatMap(field => {
      const value = valueOf(at, field, [...path, field.name], filling)
      return value === undefined ? [] : [[field.name, value] as const]
    })
    return asList(Object.fromEntries(fields))
  }
  if (isEnumType(named)) return asList(named.getValues()[0]!.name)
  const make = VALUES[path.at(-1)!]
  if (!make) throw new Error(`no value for ${at.name}(${place}): ${String(type)}`)
  return make()
}

/** How to reach the type that a field hangs from. */
export type Paths = Record<string, (inner: string) => string>

/** The operation that calls a field with its arguments as variables. */
export function operationOf(
  { type, field }: Door,
  values: Record<string, unknown>,
  paths: Paths,
): string {
  const used = field.args.filter(arg => arg.name in values)
  const declared = used.map(arg => `$${arg.name}: ${String(arg.type)}`).join(', ')
  const passed = used.map(arg => `${arg.name}: $${arg.name}`).join(', ')
  const call = `${field.name}${passed && `(${passed})`}${selectionOf(field)}`
  const path = paths[type]
  if (type !== 'Query' && type !== 'Mutation' && !path)
    throw new Error(`how does one reach ${type}?`)
  const root = type === 'Mutation' ? 'mutation' : 'query'
  return `${root} ${declared && `(${declared})`} ${path ? path(call) : `{ ${call} }`}`
}

function selectionOf(field: GraphQLField<unknown, unknown>): string {
  const named = getNamedType(field.type)
  if (!('getFields' in named) && !('getTypes' in named)) return ''
  if (isObjectType(named) && named.getFields().nodes)
    return ' { nodes { __typename ... on Node { id } } }'
  return ' { __typename }'
}
