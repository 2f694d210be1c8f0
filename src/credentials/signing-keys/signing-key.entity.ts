import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'SigningKey',
  tableName: 'signing_key',
  rowLevelSecurity: 'force',
  policies: [allow('signing_key', 'system', 'true')],
  properties: {
    /** The `kid`: the key's thumbprint (RFC 7638). */
    id: p.text().primary(),
    publicKey: p.json<Record<string, unknown>>(),
    /** The private JWK, sealed. */
    sealedPrivateKey: p.text().hidden(),
    createdAt: instant(),
    /** Signs until then, and verifies for the life of a token longer. */
    retiredAt: instant().nullable(),
  },
})

/** A key pair that signs access tokens. */
export class SigningKeyEntity extends schema.class {}
schema.setClass(SigningKeyEntity)
