import {
  everyone,
  everyoneButKeys,
  everyoneFinished,
  holds,
  holdsHere,
  type Rules,
} from '../../access/rules.ts'

export const invitationRules = {
  Query: { invitationPreview: everyone },
  Mutation: {
    acceptInvitation: everyoneFinished,
    declineInvitation: everyoneButKeys,
    resendInvitation: holds('manageUser'),
    revokeInvitation: holds('manageUser'),
  },
  Organisation: { invitations: holdsHere('manageUser') },
} satisfies Rules
