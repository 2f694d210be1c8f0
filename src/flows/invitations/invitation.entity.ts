import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { allow, memberPolicies, named, shownBy } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Invitation',
  tableName: 'invitation',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    ...memberPolicies('invitation', shownBy('principal_id')),
    allow('invitation', 'self', 'principal_id in (select app_own_principals())', 'select'),
    named('self_invited', 'invitation', 'closed_at is null and email = (select app_own_email())'),
    allow('invitation', 'operator', 'true', 'select'),
  ],
  indexes: [
    { name: 'invitation_of_member', properties: ['principalId', 'id'] },
    { name: 'invitation_in_organisation', properties: ['organisationId', 'id'] },
    { name: 'invitation_in_state', properties: ['organisationId', 'outcome', 'id'] },
    {
      name: 'invitation_waiting',
      properties: ['organisationId', 'expiresAt'],
      where: 'closed_at is null',
    },
    { name: 'invitation_by_email', properties: ['organisationId', 'email'] },
    { name: 'invitation_by_created', properties: ['organisationId', 'createdAt'] },
    { name: 'invitation_open_for', properties: ['email', 'id'], where: 'closed_at is null' },
  ],
  uniques: [
    { name: 'invitation_token', properties: ['tokenDigest'] },
    {
      name: 'invitation_open_address',
      properties: ['organisationId', 'email'],
      where: 'closed_at is null',
    },
  ],
  checks: [
    { name: 'invitation_outcome', expression: `outcome in ('ACCEPTED', 'DECLINED', 'REVOKED')` },
    { name: 'invitation_closed', expression: '(closed_at is null) = (outcome is null)' },
  ],
  properties: {
    organisationId: p.uuid(),
    /** The membership that acceptance brings to life. */
    principalId: p.uuid(),
    email: p.text(),
    /** Personal words in the mail. */
    message: p.text().nullable(),
    tokenDigest: p.text().hidden(),
    /** Only a mailed link proves the mailbox. */
    mailed: p.boolean(),
    inviterId: p.uuid().nullable(),
    /** Who founded the organisation for this person, and leaves when they arrive, whoever sends the link again. */
    founderId: p.uuid().nullable(),
    sentAt: instant().nullable(),
    expiresAt: instant(),
    closedAt: instant().nullable(),
    outcome: p.text().nullable(),
  },
})

/** An offer of membership, open until it is closed or runs out. */
export class InvitationEntity extends schema.class {}
schema.setClass(InvitationEntity)
