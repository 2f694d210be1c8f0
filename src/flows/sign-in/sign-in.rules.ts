import { everyoneButKeys, signedInOwing, type Rules } from '../../access/rules.ts'

export const signInRules = {
  Mutation: { signIn: everyoneButKeys, verifyMfa: everyoneButKeys, reauthenticate: signedInOwing },
} satisfies Rules
