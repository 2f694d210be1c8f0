import { holds, operator, recentSignIn, type Rules } from '../../access/rules.ts'
import { and } from '../../access/shield.ts'

export const policyRules = {
  Query: { platform: operator },
  Mutation: {
    updateOrganisationSettings: holds('manageOrganisation'),
    updatePlatformSettings: and(operator, recentSignIn),
  },
  Organisation: { settings: holds('manageOrganisation') },
  Platform: { settings: operator },
} satisfies Rules
