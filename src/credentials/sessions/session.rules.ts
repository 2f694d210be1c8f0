import {
  everyoneButKeys,
  holdsHere,
  selfOr,
  signedIn,
  signedInOwing,
  type Rules,
} from '../../access/rules.ts'

export const sessionRules = {
  Mutation: {
    refreshSession: everyoneButKeys,
    signOut: signedInOwing,
    revokeSession: signedIn,
    revokeOtherSessions: signedIn,
    switchOrganisation: signedInOwing,
    switchProject: signedIn,
  },
  Organisation: { sessions: holdsHere('manageUser') },
  Member: { sessions: selfOr('manageUser') },
} satisfies Rules
