import { operator, type Rules } from '../../access/rules.ts'

export const platformRules = {
  Platform: { organisation: operator, organisations: operator, user: operator, users: operator },
} satisfies Rules
