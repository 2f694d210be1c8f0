import { signedInOwing, type Rules } from '../../access/rules.ts'

export const userRules = { Query: { me: signedInOwing } } satisfies Rules
