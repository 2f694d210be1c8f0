import { accountOwner, type Rules } from '../../access/rules.ts'

export const profileRules = { Mutation: { updateProfile: accountOwner } } satisfies Rules
