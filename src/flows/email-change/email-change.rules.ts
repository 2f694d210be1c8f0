import { recentPerson, signedIn, type Rules } from '../../access/rules.ts'

export const emailChangeRules = {
  Mutation: {
    requestEmailChange: recentPerson,
    confirmEmailChange: signedIn,
    cancelEmailChange: signedIn,
  },
} satisfies Rules
