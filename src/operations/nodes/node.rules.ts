import { identifiedWithScope, type Rules } from '../../access/rules.ts'

export const nodeRules = { Query: { node: identifiedWithScope } } satisfies Rules
