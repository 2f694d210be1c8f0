import { recentOperator, recentPerson, type Rules } from '../../access/rules.ts'

export const accountDeletionRules = {
  Mutation: { deleteAccount: recentPerson, deleteUser: recentOperator },
} satisfies Rules
