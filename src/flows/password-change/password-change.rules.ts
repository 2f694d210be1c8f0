import { holdsInSession, signedIn, type Rules } from '../../access/rules.ts'

export const passwordChangeRules = {
  Mutation: {
    changePassword: signedIn,
    requestMemberPasswordReset: holdsInSession('manageUser'),
  },
} satisfies Rules
