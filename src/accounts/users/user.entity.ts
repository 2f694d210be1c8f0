import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'User',
  tableName: 'user_account',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    allow('user_account', 'self', 'id = app_user()'),
    allow('user_account', 'operator', 'true'),
    allow('user_account', 'system', 'true'),
  ],
  indexes: [
    { name: 'user_account_operator', properties: ['operator'], where: 'operator' },
    // what operators filter accounts by
    { name: 'user_account_by_created', properties: ['createdAt'], where: 'deleted_at is null' },
    { name: 'user_account_by_sign_in', properties: ['lastSignInAt'], where: 'deleted_at is null' },
    { name: 'user_account_by_status', properties: ['status'], where: 'deleted_at is null' },
    {
      name: 'user_account_by_second_factor',
      properties: ['secondFactor'],
      where: 'deleted_at is null',
    },
    {
      name: 'user_account_locked',
      properties: ['id'],
      where: 'locked_at is not null and deleted_at is null',
    },
  ],
  uniques: [{ name: 'user_account_email', properties: ['email'], where: 'deleted_at is null' }],
  checks: [
    { name: 'user_account_status', expression: `status in ('ACTIVE', 'SUSPENDED', 'INACTIVE')` },
    {
      name: 'user_account_proven',
      expression: `email_verified_at is null or proven_at is not null`,
    },
  ],
  properties: {
    /** The login, in canonical form. */
    email: p.text(),
    emailVerifiedAt: instant().nullable(),
    /** When a mailbox of this account was first proven: never taken back, whatever happens to its login. */
    provenAt: instant().nullable(),
    /** True while an authenticator app is confirmed. */
    secondFactor: p.boolean().default(false),
    firstName: p.text(),
    lastName: p.text(),
    locale: p.text().default('en'),
    timeZone: p.text().default('UTC'),
    phoneNumber: p.text().nullable(),
    /** Where the images of the avatar are. */
    avatarKey: p.text().nullable(),
    passwordHash: p.text().nullable().hidden(),
    passwordChangedAt: instant().nullable(),
    status: p.text().default('ACTIVE'),
    suspendedUntil: instant().nullable(),
    lockedAt: instant().nullable(),
    operator: p.boolean().default(false),
    lastSignInAt: instant().nullable(),
    /** Where the last session of this person acted: the first choice for the next. */
    lastOrganisationId: p.uuid().nullable(),
    updatedAt: instant(),
    deletedAt: instant().nullable(),
  },
})

/** One account for one person, once per platform. Only its owner, operators and the system ever see it. */
export class UserEntity extends schema.class {}
schema.setClass(UserEntity)
