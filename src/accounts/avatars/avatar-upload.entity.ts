import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'AvatarUpload',
  tableName: 'avatar_upload',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [allow('avatar_upload', 'system', 'true')],
  uniques: [{ name: 'avatar_upload_open', properties: ['userId'], where: 'spent_at is null' }],
  properties: {
    userId: p.uuid(),
    contentType: p.text(),
    /** Bytes. */
    size: p.integer(),
    /** Where the images are, once they have arrived. */
    avatarKey: p.text().nullable(),
    expiresAt: instant(),
    /** Taken as avatar, or replaced by a later upload. */
    spentAt: instant().nullable(),
  },
})

/** An image that somebody is about to send. */
export class AvatarUploadEntity extends schema.class {}
schema.setClass(AvatarUploadEntity)
