import { recentOperator, recentAccountOwner, type Rules } from '../../access/rules.ts'

export const accountDeletionRules = {
  Mutation: { deleteAccount: recentAccountOwner, deleteUser: recentOperator },
} satisfies Rules
