import { holds, insideOrganisation, type Rules } from '../../access/rules.ts'

export const organisationRules = {
  Query: { organisation: insideOrganisation },
  Mutation: { updateOrganisation: holds('manageOrganisation') },
} satisfies Rules
