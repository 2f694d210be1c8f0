import { everyoneButKeys, type Rules } from '../../access/rules.ts'

export const magicLinkRules = {
  Mutation: { requestMagicLink: everyoneButKeys, signInWithMagicLink: everyoneButKeys },
} satisfies Rules
