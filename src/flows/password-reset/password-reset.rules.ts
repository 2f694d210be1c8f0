import { everyoneButKeys, type Rules } from '../../access/rules.ts'

export const passwordResetRules = {
  Mutation: { requestPasswordReset: everyoneButKeys, resetPassword: everyoneButKeys },
} satisfies Rules
