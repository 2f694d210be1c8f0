import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'AvatarImage',
  tableName: 'avatar_image',
  rowLevelSecurity: 'force',
  policies: [allow('avatar_image', 'system', 'true')],
  properties: {
    /** Random, so that nobody can guess the address of an image. */
    key: p.text().primary(),
    /** Length of a side. */
    pixels: p.integer().primary(),
    createdAt: instant(),
    bytes: p.blob(),
  },
})

/** One size of an avatar, as WebP. */
export class AvatarImageEntity extends schema.class {}
schema.setClass(AvatarImageEntity)
