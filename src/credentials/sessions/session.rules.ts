import { everyone, holds, insideOrganisation, signedIn, type Rules } from '../../access/rules.ts'

export const sessionRules = {
  Mutation: {
    refreshSession: everyone,
    signOut: signedIn,
    switchOrganisation: signedIn,
  },
  Organisation: { sessions: holds('manageUser') },
  // one's own may always be read; for others the resolver asks for `manageUser`
  Member: { sessions: insideOrganisation },
} satisfies Rules
