import { everyoneButKeys, signedIn, type Rules } from '../../access/rules.ts'

export const signInRules = {
  Mutation: { signIn: everyoneButKeys, reauthenticate: signedIn },
} satisfies Rules
