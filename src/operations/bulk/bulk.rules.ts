import { holds, type Rules } from '../../access/rules.ts'

export const bulkRules = {
  Mutation: {
    addMembers: holds('manageUser'),
    inviteMembers: holds('manageUser'),
    updateMembers: holds('manageUser'),
    applyMemberAction: holds('manageUser'),
  },
} satisfies Rules
