import { everyoneButKeys, type Rules } from '../../access/rules.ts'

export const emailVerificationRules = {
  Mutation: { requestEmailVerification: everyoneButKeys, verifyEmail: everyoneButKeys },
} satisfies Rules
