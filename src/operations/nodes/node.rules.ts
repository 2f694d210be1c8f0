import { identified, type Rules } from '../../access/rules.ts'

export const nodeRules = { Query: { node: identified } } satisfies Rules
