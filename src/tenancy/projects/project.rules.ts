import { holds, insideOrganisation, type Rules } from '../../access/rules.ts'

export const projectRules = {
  Mutation: { createProject: holds('manageProject') },
  Organisation: { project: insideOrganisation, projects: insideOrganisation },
} satisfies Rules
