import { here, holds, holdsHere, type Rules } from '../../access/rules.ts'

export const memberRules = {
  Mutation: { updateMember: holds('manageUser') },
  Organisation: {
    // oneself may always be read; for others the service asks for `viewUser`
    member: here,
    members: holdsHere('viewUser'),
  },
} satisfies Rules
