import { holdsHere, identifiedWithScope, type Rules } from '../../access/rules.ts'

export const auditRules = {
  Query: { topics: identifiedWithScope },
  Organisation: { auditEvents: holdsHere('viewAudit') },
} satisfies Rules
