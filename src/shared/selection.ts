import { Kind, type FieldNode, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql'

// documents are kept, so each field of one is walked once
const walked = new WeakMap<FieldNode, Set<string>>()

/** Whether an operation asks for a field of this name anywhere below the field that is being resolved. */
export const asksFor = (info: GraphQLResolveInfo, name: string): boolean =>
  info.fieldNodes.some(node => {
    let names = walked.get(node)
    if (!names) walked.set(node, (names = namesBelow(node.selectionSet, info)))
    return names.has(name)
  })

function namesBelow(
  set: SelectionSetNode | undefined,
  info: GraphQLResolveInfo,
  names = new Set<string>(),
): Set<string> {
  for (const selection of set?.selections ?? []) {
    if (selection.kind === Kind.FIELD) names.add(selection.name.value)
    const inner =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? info.fragments[selection.name.value]?.selectionSet
        : selection.selectionSet
    namesBelow(inner, info, names)
  }
  return names
}
