import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { allow, named } from '../../database/policies.ts'

// Members whom the role of the viewer shows; service accounts are kept by a permission of their own.
const SEEN = `organisation_id = app_organisation() and (kind = 'SERVICE_ACCOUNT'
    or (select app_visibility()) = 'ORGANISATION' or id in (select app_visible_principals()))`

// Who has proven the address that an open invitation is for.
const INVITED = `status = 'INVITED' and removed_at is null and email = (select app_own_email())`

const schema = defineEntity({
  name: 'Principal',
  tableName: 'principal',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    allow('principal', 'tenant', SEEN, 'select'),
    allow('principal', 'tenant', 'organisation_id = app_organisation()', 'insert'),
    {
      ...allow('principal', 'tenant', SEEN, 'update'),
      check: 'organisation_id = app_organisation()',
    },
    allow('principal', 'system', 'true'),
    allow('principal', 'self', 'user_id = app_user()'),
    named('self_invited', 'principal', INVITED),
    allow('principal', 'operator', 'true'),
  ],
  indexes: [
    // One per order of the member list: keyset pages read them forwards and backwards.
    {
      name: 'principal_by_name',
      properties: ['organisationId', 'kind', 'sortName', 'id'],
      where: 'removed_at is null',
    },
    {
      name: 'principal_by_email',
      properties: ['organisationId', 'kind', 'email', 'id'],
      where: 'removed_at is null',
    },
    {
      name: 'principal_by_created',
      properties: ['organisationId', 'kind', 'createdAt', 'id'],
      where: 'removed_at is null',
    },
    {
      name: 'principal_by_active',
      properties: ['organisationId', 'kind', 'lastActiveAt', 'id'],
      where: 'removed_at is null',
    },
    // what members are filtered by, each in the order of names
    {
      name: 'principal_by_status',
      properties: ['organisationId', 'kind', 'status', 'sortName', 'id'],
      where: 'removed_at is null',
    },
    {
      name: 'principal_by_second_factor',
      properties: ['organisationId', 'kind', 'secondFactor', 'sortName', 'id'],
      where: 'removed_at is null',
    },
    {
      name: 'principal_locked',
      properties: ['organisationId', 'kind', 'sortName', 'id'],
      where: 'locked_at is not null and removed_at is null',
    },
    {
      name: 'principal_by_role',
      properties: ['roleId', 'sortName', 'id'],
      where: 'removed_at is null',
    },
    { name: 'principal_by_user', properties: ['userId'] },
    {
      name: 'principal_invited',
      properties: ['email'],
      where: `status = 'INVITED' and removed_at is null`,
    },
  ],
  uniques: [
    { name: 'principal_in_organisation', properties: ['organisationId', 'id'] },
    {
      name: 'principal_user',
      properties: ['organisationId', 'userId'],
      where: 'removed_at is null',
    },
    {
      name: 'principal_email',
      properties: ['organisationId', 'email'],
      where: 'removed_at is null',
    },
    {
      name: 'principal_external_id',
      properties: ['organisationId', 'externalId'],
      where: 'removed_at is null',
    },
  ],
  checks: [
    { name: 'principal_kind', expression: `kind in ('MEMBER', 'SERVICE_ACCOUNT')` },
    {
      name: 'principal_status',
      expression: `status in ('INVITED', 'ACTIVE', 'SUSPENDED', 'INACTIVE')`,
    },
    { name: 'principal_role_level', expression: `role_level in ('ORGANISATION')` },
    // who has not accepted has no account here, and nobody else goes without one
    {
      name: 'principal_account',
      expression: `kind = 'SERVICE_ACCOUNT' or removed_at is not null or (status = 'INVITED') = (user_id is null)`,
    },
  ],
  properties: {
    organisationId: p.uuid(),
    kind: p.text(),
    /** The account behind a member; null while invited and for service accounts. */
    userId: p.uuid().nullable(),
    roleId: p.uuid(),
    /** Always `ORGANISATION`: with the role's id it points at roles of that level only. */
    roleLevel: p.text().default('ORGANISATION'),
    /** Login of the member as the organisation sees it, kept in step with the account. */
    email: p.text().collation('C').nullable(),
    firstName: p.text(),
    lastName: p.text(),
    name: p.text(),
    /** The name folded, for sorting. */
    sortName: p.text().collation('C'),
    /** True for a name given by the organisation to a shared account: the account's does not replace it. */
    nameKept: p.boolean().default(false),
    externalId: p.text().nullable(),
    /** The account's avatar; kept in step with it by the database. */
    avatarKey: p.text().nullable(),
    /** Whoever was put out, or left while barred, comes back only by being added or invited. */
    returnBarred: p.boolean().default(false),
    /** What a service account is for, and who made it. */
    description: p.text().nullable(),
    createdById: p.uuid().nullable(),
    status: p.text(),
    suspendedUntil: instant().nullable(),
    lockedAt: instant().nullable(),
    /** True for members who came by a link that was not mailed: their unproven address counts here alone. */
    vouched: p.boolean().default(false),
    /** True for members whose account has a second factor; kept in step with it. */
    secondFactor: p.boolean().default(false),
    /** The project that let an unproven address in by registration: until it is proven, it may enter that one only. */
    unprovenProjectId: p.uuid().nullable(),
    /** When the member first acted here; until then the typed name is shown. */
    enteredAt: instant().nullable(),
    /** Sessions created before this instant cannot enter here any more. */
    sessionsRevokedAt: instant().nullable(),
    lastSignInAt: instant().nullable(),
    /** Never is `-infinity`, so that the list sorted by it reads one index. */
    lastActiveAt: instant().defaultRaw(`'-infinity'::timestamptz`),
    updatedAt: instant(),
    removedAt: instant().nullable(),
  },
})

/** Whoever can hold a role in an organisation: a member or a service account. */
export class PrincipalEntity extends schema.class {}
schema.setClass(PrincipalEntity)
