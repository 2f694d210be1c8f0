import { everyone, everyoneButKeys, holds, holdsHere, type Rules } from '../../access/rules.ts'

export const invitationRules = {
  Query: { invitationPreview: everyone },
  Mutation: {
    acceptInvitation: everyoneButKeys,
    declineInvitation: everyoneButKeys,
    resendInvitation: holds('manageUser'),
    revokeInvitation: holds('manageUser'),
  },
  Organisation: { invitations: holdsHere('manageUser') },
} satisfies Rules
