import { accountOwner, type Rules } from '../../access/rules.ts'

export const foundingRules = { Mutation: { createOrganisation: accountOwner } } satisfies Rules
