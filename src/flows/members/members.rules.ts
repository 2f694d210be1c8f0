import { holds, type Rules } from '../../access/rules.ts'

export const memberActRules = {
  Mutation: {
    addMember: holds('manageUser'),
    lockMember: holds('manageUser'),
    unlockMember: holds('manageUser'),
    removeMember: holds('manageUser'),
    revokeMemberSessions: holds('manageUser'),
  },
} satisfies Rules
