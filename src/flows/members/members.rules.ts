import { holds, holdsInSession, signedInOwing, type Rules } from '../../access/rules.ts'

export const memberActRules = {
  Mutation: {
    addMember: holds('manageUser'),
    inviteMember: holds('manageUser'),
    lockMember: holds('manageUser'),
    unlockMember: holds('manageUser'),
    suspendMember: holds('manageUser'),
    deactivateMember: holds('manageUser'),
    activateMember: holds('manageUser'),
    removeMember: holds('manageUser'),
    revokeMemberSessions: holdsInSession('manageUser'),
    leaveOrganisation: signedInOwing,
  },
} satisfies Rules
