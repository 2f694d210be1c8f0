import { holds, holdsHere, type Rules } from '../../access/rules.ts'

export const serviceAccountRules = {
  Mutation: {
    createServiceAccount: holds('manageServiceAccount'),
    updateServiceAccount: holds('manageServiceAccount'),
    deleteServiceAccount: holds('manageServiceAccount'),
  },
  Organisation: {
    serviceAccount: holdsHere('manageServiceAccount'),
    serviceAccounts: holdsHere('manageServiceAccount'),
  },
} satisfies Rules
