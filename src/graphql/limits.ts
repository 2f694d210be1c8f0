import {
  getNamedType,
  getVariableValues,
  GraphQLError,
  isInterfaceType,
  isObjectType,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type InlineFragmentNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValidationRule,
  type ValueNode,
} from 'graphql'

export const MOST_TOKENS = 1_000
export const MOST_DEPTH = 10
export const MOST_ALIASES = 15
const MOST_COST = 5_000
/** What the rows of a bulk answer count for: more than one, and few enough for plain fields of five hundred. */
const BULK_ROWS = 50

/** Fields that try a secret: several in one document would be several guesses for one. */
const GUESSABLE = new Set([
  'signIn',
  'verifyMfa',
  'signInWithMagicLink',
  'reauthenticate',
  'changePassword',
  'resetPassword',
  'verifyEmail',
  'removeMfaFactor',
  'confirmTotpEnrolment',
  'acceptInvitation',
])

/** At most one guessable field in a document, fragments and aliases included. */
const oneGuess: ValidationRule = context => {
  let guesses = 0
  return {
    Field(node) {
      if (context.getParentType()?.name !== 'Mutation' || !GUESSABLE.has(node.name.value)) return
      guesses += 1
      if (guesses === 2)
        context.reportError(
          new GraphQLError('A document may try one credential. Send a request for each.', {
            nodes: node,
          }),
        )
    },
  }
}

/** Queries and mutations only; graphql-js would take the fault for its own. */
const knownOperation: ValidationRule = context => ({
  OperationDefinition(node) {
    if (!context.getSchema().getRootType(node.operation))
      context.reportError(
        new GraphQLError(`This server has no ${node.operation} operations.`, { nodes: node }),
      )
  },
})

/** What a document must keep to, beside GraphQL's own rules. */
export const ownRules: ValidationRule[] = [oneGuess, knownOperation]

/** Fragments of a document by name. */
export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>

interface Walk {
  schema: GraphQLSchema
  fragments: Fragments
  variables: Record<string, unknown>
}

/**
 * What an operation may cost at most: one for each field, times the size of every page around it.
 *
 * @throws {GraphQLError} before anything is executed.
 */
export function mustBeAffordable(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Fragments,
  given: Record<string, unknown>,
): void {
  if (affordable.has(operation)) return
  const root = schema.getRootType(operation.operation)
  const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], given).coerced
  if (!root || !coerced) return
  const cost = costOf(operation.selectionSet, root, { schema, fragments, variables: coerced })
  if (cost > MOST_COST)
    throw new GraphQLError(
      `This operation may cost ${cost}, more than ${MOST_COST}. Ask for smaller pages or fewer fields.`,
      {
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED', http: { status: 400 } },
      },
    )
  // without variables the same document always costs the same, and documents are kept
  if (!operation.variableDefinitions?.length) affordable.add(operation)
}

const affordable = new WeakSet<OperationDefinitionNode>()

function costOf(set: SelectionSetNode, type: GraphQLNamedType, walk: Walk): number {
  let cost = 0
  for (const selection of set.selections) {
    cost +=
      selection.kind === Kind.FIELD
        ? costOfField(selection, type, walk)
        : costOfFragment(selection, type, walk)
    // far beyond the limit: the rest need not be walked
    if (cost > MOST_COST * 1_000) return cost
  }
  return cost
}

function costOfFragment(
  given: FragmentSpreadNode | InlineFragmentNode,
  type: GraphQLNamedType,
  walk: Walk,
): number {
  const fragment =
    given.kind === Kind.FRAGMENT_SPREAD ? walk.fragments.get(given.name.value) : given
  if (!fragment) return 0
  const condition = fragment.typeCondition?.name.value
  const narrowed = (condition && walk.schema.getType(condition)) || type
  return costOf(fragment.selectionSet, narrowed, walk)
}

function costOfField(node: FieldNode, type: GraphQLNamedType, walk: Walk): number {
  if (node.name.value.startsWith('__')) return 0
  const field =
    isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined
  if (!field || !node.selectionSet) return 1
  return (
    1 + pageSizeOf(node, field, walk) * costOf(node.selectionSet, getNamedType(field.type), walk)
  )
}

/** How many things a field answers at most, as far as the document says. */
function pageSizeOf(node: FieldNode, field: GraphQLField<unknown, unknown>, walk: Walk): number {
  const first = node.arguments?.find(argument => argument.name.value === 'first')
  const standard = field.args.find(argument => argument.name === 'first')?.defaultValue as
    number | undefined
  return (first && numberOf(first.value, walk)) ?? standard ?? (isBulk(field.type) ? BULK_ROWS : 1)
}

const isBulk = (type: GraphQLOutputType) => getNamedType(type).name === 'BulkMemberResult'

/** The size of a page as far as the document says; undefined where a variable leaves it to the default. */
function numberOf(node: ValueNode, walk: Walk): number | undefined {
  const value =
    node.kind === Kind.VARIABLE
      ? walk.variables[node.name.value]
      : node.kind === Kind.INT
        ? Number(node.value)
        : 1
  return typeof value === 'number' ? Math.min(Math.max(value, 1), 100) : undefined
}
