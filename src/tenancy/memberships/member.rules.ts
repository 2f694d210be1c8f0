import { holds, insideOrganisation, type Rules } from '../../access/rules.ts'

export const memberRules = {
  Mutation: { updateMember: holds('manageUser') },
  Organisation: {
    // oneself may always be read; for others the service asks for `viewUser`
    member: insideOrganisation,
    members: holds('viewUser'),
  },
} satisfies Rules
