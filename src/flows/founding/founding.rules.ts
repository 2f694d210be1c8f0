import { signedIn, type Rules } from '../../access/rules.ts'

export const foundingRules = { Mutation: { createOrganisation: signedIn } } satisfies Rules
