import { recentOperator, type Rules } from '../../access/rules.ts'

export const operatorRules = {
  Mutation: {
    lockUser: recentOperator,
    unlockUser: recentOperator,
    suspendUser: recentOperator,
    deactivateUser: recentOperator,
    activateUser: recentOperator,
    resetUserMfa: recentOperator,
    revokeUserSessions: recentOperator,
    grantOperator: recentOperator,
    revokeOperator: recentOperator,
    suspendOrganisation: recentOperator,
    activateOrganisation: recentOperator,
    deleteOrganisation: recentOperator,
  },
} satisfies Rules
