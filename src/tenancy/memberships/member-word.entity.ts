import type { PrimaryKeyProp } from '@mikro-orm/core'
import { defineEntity, p } from '@mikro-orm/core'
import { memberPolicies, shownBy } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'MemberWord',
  tableName: 'member_word',
  rowLevelSecurity: 'force',
  policies: memberPolicies('member_word', shownBy('principal_id')),
  // whether a member has a word is asked for each row of the list where many have it
  indexes: [
    { name: 'member_word_principal', properties: ['principalId', 'word', 'organisationId'] },
  ],
  properties: {
    organisationId: p.uuid().primary(),
    /** A folded word of name or login; its C collation makes the beginning of a word a range. */
    word: p.text().collation('C').primary(),
    principalId: p.uuid().primary(),
  },
})

/** A word by which a member is found. */
export class MemberWordEntity extends schema.class {
  declare [PrimaryKeyProp]?: ['organisationId', 'word', 'principalId']
}
schema.setClass(MemberWordEntity)
