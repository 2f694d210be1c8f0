import { holds, holdsHere, type Rules } from '../../access/rules.ts'

export const workflowRules = {
  Mutation: {
    createWorkflow: holds('manageIntegration'),
    updateWorkflow: holds('manageIntegration'),
    deleteWorkflow: holds('manageIntegration'),
  },
  Organisation: {
    workflow: holdsHere('manageIntegration'),
    workflows: holdsHere('manageIntegration'),
  },
} satisfies Rules
