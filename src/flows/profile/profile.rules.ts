import { signedIn, type Rules } from '../../access/rules.ts'

export const profileRules = { Mutation: { updateProfile: signedIn } } satisfies Rules
