import { everyone, holds, type Rules } from '../../access/rules.ts'

export const invitationRules = {
  Query: { invitationPreview: everyone },
  Mutation: {
    acceptInvitation: everyone,
    declineInvitation: everyone,
    resendInvitation: holds('manageUser'),
    revokeInvitation: holds('manageUser'),
  },
  Organisation: { invitations: holds('manageUser') },
} satisfies Rules
