import type { PrimaryKeyProp } from '@mikro-orm/core'
import { defineEntity, p } from '@mikro-orm/core'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'OrganisationWord',
  tableName: 'organisation_word',
  rowLevelSecurity: 'force',
  policies: [
    allow('organisation_word', 'operator', 'true', 'select'),
    allow('organisation_word', 'system', 'true'),
  ],
  indexes: [{ name: 'organisation_word_again', properties: ['organisationId', 'word'] }],
  properties: {
    /** A folded word of name or short name; its C collation makes the beginning of a word a range. */
    word: p.text().collation('C').primary(),
    organisationId: p.uuid().primary(),
  },
})

/** A word by which operators find an organisation. */
export class OrganisationWordEntity extends schema.class {
  declare [PrimaryKeyProp]?: ['word', 'organisationId']
}
schema.setClass(OrganisationWordEntity)
