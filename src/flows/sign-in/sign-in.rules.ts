import { everyone, signedIn, type Rules } from '../../access/rules.ts'

export const signInRules = {
  Mutation: { signIn: everyone, reauthenticate: signedIn },
} satisfies Rules
