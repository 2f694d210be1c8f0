import { signedIn, type Rules } from '../../access/rules.ts'

export const viewerRules = { Query: { viewer: signedIn } } satisfies Rules
