import { here, holds, insideOrganisation, projectHere, type Rules } from '../../access/rules.ts'

export const projectRules = {
  Mutation: {
    createProject: holds('manageProject'),
    updateProject: holds('manageProject'),
    deleteProject: holds('manageProject'),
    // `manageProjectAccess` in the project does too: the service asks once it knows which
    grantProjectAccess: insideOrganisation,
    revokeProjectAccess: insideOrganisation,
  },
  // the resolver asks what the viewer holds in the project
  Project: { access: projectHere },
  Organisation: { project: here, projects: here },
} satisfies Rules
