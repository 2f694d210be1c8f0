import { everyone, everyoneButKeys, signedIn, type Rules } from '../../access/rules.ts'

export const registrationRules = {
  Query: { signInOptions: everyone },
  Mutation: { signUp: everyoneButKeys, joinProject: signedIn },
} satisfies Rules
