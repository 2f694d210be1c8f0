import { everyone, holds, holdsHere, type Rules } from '../../access/rules.ts'

export const invitationRules = {
  Query: { invitationPreview: everyone },
  Mutation: {
    acceptInvitation: everyone,
    declineInvitation: everyone,
    resendInvitation: holds('manageUser'),
    revokeInvitation: holds('manageUser'),
  },
  Organisation: { invitations: holdsHere('manageUser') },
} satisfies Rules
