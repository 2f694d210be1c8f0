import type { PrimaryKeyProp } from '@mikro-orm/core'
import { defineEntity, p } from '@mikro-orm/core'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'UserWord',
  tableName: 'user_word',
  rowLevelSecurity: 'force',
  policies: [
    allow('user_word', 'operator', 'true', 'select'),
    allow('user_word', 'system', 'true'),
  ],
  indexes: [{ name: 'user_word_again', properties: ['userId', 'word'] }],
  properties: {
    /** A folded word of name or login; its C collation makes the beginning of a word a range. */
    word: p.text().collation('C').primary(),
    userId: p.uuid().primary(),
  },
})

/** A word by which operators find an account. */
export class UserWordEntity extends schema.class {
  declare [PrimaryKeyProp]?: ['word', 'userId']
}
schema.setClass(UserWordEntity)
