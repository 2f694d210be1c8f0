import { identified, type Rules } from '../../access/rules.ts'

export const viewerRules = { Query: { viewer: identified } } satisfies Rules
