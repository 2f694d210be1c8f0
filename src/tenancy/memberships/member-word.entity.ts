import type { PrimaryKeyProp } from '@mikro-orm/core'
import { defineEntity, p } from '@mikro-orm/core'
import { memberPolicies, shownBy } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'MemberWord',
  tableName: 'member_word',
  rowLevelSecurity: 'force',
  policies: memberPolicies('member_word', shownBy('principal_id')),
  // a page of a search is read from this index alone
  indexes: [
    {
      name: 'member_word_by_name',
      properties: ['organisationId', 'word', 'sortName', 'principalId', 'words'],
    },
  ],
  properties: {
    principalId: p.uuid().primary(),
    /** A folded word of name or login; its C collation makes the beginning of a word a range. */
    word: p.text().collation('C').primary(),
    organisationId: p.uuid().primary(),
    /** As the member has it. */
    sortName: p.text().collation('C'),
    /** All words of the member, a blank before each; null where they would be too long for an index. */
    words: p.text().nullable(),
  },
})

/** A word by which a member is found. */
export class MemberWordEntity extends schema.class {
  declare [PrimaryKeyProp]?: ['principalId', 'word', 'organisationId']
}
schema.setClass(MemberWordEntity)
