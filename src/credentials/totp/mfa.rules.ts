import {
  recentAccountOwner,
  recentPersonOwing,
  signedInOwing,
  type Rules,
} from '../../access/rules.ts'

export const mfaRules = {
  Mutation: {
    startTotpEnrolment: recentPersonOwing,
    confirmTotpEnrolment: signedInOwing,
    removeMfaFactor: recentAccountOwner,
    regenerateRecoveryCodes: recentAccountOwner,
  },
} satisfies Rules
