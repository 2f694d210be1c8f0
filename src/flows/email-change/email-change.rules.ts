import { accountOwner, recentAccountOwner, signedIn, type Rules } from '../../access/rules.ts'

export const emailChangeRules = {
  Mutation: {
    requestEmailChange: recentAccountOwner,
    confirmEmailChange: accountOwner,
    cancelEmailChange: signedIn,
  },
} satisfies Rules
