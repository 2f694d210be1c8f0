import { recentPerson, recentPersonOwing, signedInOwing, type Rules } from '../../access/rules.ts'

export const mfaRules = {
  Mutation: {
    startTotpEnrolment: recentPersonOwing,
    confirmTotpEnrolment: signedInOwing,
    removeMfaFactor: recentPerson,
    regenerateRecoveryCodes: recentPerson,
  },
} satisfies Rules
