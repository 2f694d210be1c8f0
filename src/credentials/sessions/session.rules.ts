import { everyoneButKeys, holdsHere, selfOr, signedIn, type Rules } from '../../access/rules.ts'

export const sessionRules = {
  Mutation: {
    refreshSession: everyoneButKeys,
    signOut: signedIn,
    revokeSession: signedIn,
    revokeOtherSessions: signedIn,
    switchOrganisation: signedIn,
    switchProject: signedIn,
  },
  Organisation: { sessions: holdsHere('manageUser') },
  Member: { sessions: selfOr('manageUser') },
} satisfies Rules
