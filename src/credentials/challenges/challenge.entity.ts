import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Challenge',
  tableName: 'challenge',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [allow('challenge', 'system', 'true')],
  indexes: [
    { name: 'challenge_user', properties: ['userId'], where: 'spent_at is null' },
    { name: 'challenge_expires', properties: ['expiresAt'] },
  ],
  uniques: [{ name: 'challenge_token_digest', properties: ['tokenDigest'] }],
  checks: [{ name: 'challenge_method', expression: `method in ('PASSWORD', 'MAGIC_LINK')` }],
  properties: {
    userId: p.uuid(),
    tokenDigest: p.text().hidden(),
    /** The first factor that was right. */
    method: p.text(),
    /** The organisation asked for. */
    wantedId: p.uuid().nullable(),
    /** The only organisation that the session may act in. */
    confinedToId: p.uuid().nullable(),
    guesses: p.integer().default(0),
    expiresAt: instant(),
    spentAt: instant().nullable(),
  },
})

/** A first factor was right and a second is owed: no session, and good for nothing else. */
export class ChallengeEntity extends schema.class {}
schema.setClass(ChallengeEntity)
