import { insideOrganisation, type Rules } from '../../access/rules.ts'

export const roleRules = {
  Organisation: {
    role: insideOrganisation,
    roles: insideOrganisation,
    permissions: insideOrganisation,
  },
} satisfies Rules
