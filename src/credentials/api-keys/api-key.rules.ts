import { here, recentPerson, selfOr, signedIn, type Rules } from '../../access/rules.ts'

// Whether one manages the owner of a key is asked once the owner is known.
export const apiKeyRules = {
  Mutation: {
    createApiKey: recentPerson,
    updateApiKey: signedIn,
    renewApiKey: recentPerson,
    revokeApiKey: signedIn,
  },
  Organisation: { apiKeys: here },
  Member: { apiKeys: selfOr('manageUser') },
  ServiceAccount: { apiKeys: selfOr('manageServiceAccount') },
} satisfies Rules
