import { signedIn, type Rules } from '../../access/rules.ts'

export const userRules = { Query: { me: signedIn } } satisfies Rules
