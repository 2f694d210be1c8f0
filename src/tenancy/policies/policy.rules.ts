import { holds, holdsHere, operator, recentOperator, type Rules } from '../../access/rules.ts'

export const policyRules = {
  Query: { platform: operator },
  Mutation: {
    updateOrganisationSettings: holds('manageOrganisation'),
    updatePlatformSettings: recentOperator,
  },
  Organisation: { settings: holdsHere('manageOrganisation') },
  Platform: { settings: operator },
} satisfies Rules
