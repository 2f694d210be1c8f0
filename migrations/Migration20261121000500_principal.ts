import { Migration } from '@mikro-orm/migrations'

/** Who belongs where: members and service accounts, and the words by which members are found. */
export class Migration20261121000500_principal extends Migration {
  override up() {
    this.addSql(`create table principal (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null constraint principal_organisation_id references organisation,
  kind text not null constraint principal_kind check (kind in ('MEMBER', 'SERVICE_ACCOUNT')),
  user_id uuid constraint principal_user_id references user_account,
  role_id uuid not null,
  role_level text not null default 'ORGANISATION'
    constraint principal_role_level check (role_level in ('ORGANISATION')),
  email text collate "C",
  first_name text not null,
  last_name text not null,
  name text not null,
  sort_name text collate "C" not null,
  name_kept boolean not null default false,
  external_id text,
  status text not null
    constraint principal_status check (status in ('INVITED', 'ACTIVE', 'SUSPENDED', 'INACTIVE')),
  suspended_until timestamptz,
  locked_at timestamptz,
  vouched boolean not null default false,
  entered_at timestamptz,
  sessions_revoked_at timestamptz,
  last_sign_in_at timestamptz,
  last_active_at timestamptz not null default '-infinity',
  updated_at timestamptz not null,
  removed_at timestamptz,
  constraint principal_in_organisation unique (organisation_id, id),
  constraint principal_role foreign key (organisation_id, role_id, role_level)
    references role (organisation_id, id, level),
  -- who has not accepted has no account here, and nobody else goes without one
  constraint principal_account check
    (kind = 'SERVICE_ACCOUNT' or removed_at is not null or (status = 'INVITED') = (user_id is null))
)`)
    this.addSql(
      `create unique index principal_user on principal (organisation_id, user_id) where removed_at is null`,
    )
    this.addSql(
      `create unique index principal_email on principal (organisation_id, email) where removed_at is null`,
    )
    this.addSql(
      `create unique index principal_external_id on principal (organisation_id, external_id) where removed_at is null`,
    )
    // one for each order of the member list
    this.addSql(
      `create index principal_by_name on principal (organisation_id, kind, sort_name, id) where removed_at is null`,
    )
    this.addSql(
      `create index principal_by_email on principal (organisation_id, kind, email, id) where removed_at is null`,
    )
    this.addSql(
      `create index principal_by_created on principal (organisation_id, kind, created_at, id) where removed_at is null`,
    )
    this.addSql(
      `create index principal_by_active on principal (organisation_id, kind, last_active_at, id) where removed_at is null`,
    )
    this.addSql(`create index principal_by_role on principal (role_id) where removed_at is null`)
    this.addSql(`create index principal_by_user on principal (user_id)`)

    this.addSql(`create table member_word (
  organisation_id uuid not null,
  word text collate "C" not null,
  principal_id uuid not null,
  primary key (organisation_id, word, principal_id),
  constraint member_word_of foreign key (organisation_id, principal_id)
    references principal (organisation_id, id) on delete cascade
)`)
    this.addSql(`create index member_word_principal on member_word (principal_id)`)

    // Read by the policies of *self*. They run as the caller, so they see the caller's own memberships only.
    this.addSql(`create function app_own_organisations() returns setof uuid language sql stable
as $$ select organisation_id from principal where user_id = app_user() and removed_at is null $$`)
    this.addSql(`create function app_own_principals() returns setof uuid language sql stable
as $$ select id from principal where user_id = app_user() and removed_at is null $$`)

    for (const table of ['organisation', 'role', 'principal', 'member_word']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
    }
    this.addSql(`create policy organisation_tenant on organisation to gatehouse_tenant
  using (id = app_organisation()) with check (id = app_organisation())`)
    for (const table of ['role', 'principal', 'member_word'])
      this.addSql(`create policy ${table}_tenant on ${table} to gatehouse_tenant
  using (organisation_id = app_organisation()) with check (organisation_id = app_organisation())`)
    this.addSql(`create policy organisation_self_select on organisation for select to gatehouse_self
  using (id in (select app_own_organisations()))`)
    this.addSql(`create policy role_self_select on role for select to gatehouse_self
  using (organisation_id in (select app_own_organisations()))`)
    this.addSql(`create policy principal_self on principal to gatehouse_self
  using (user_id = app_user()) with check (user_id = app_user())`)
    this.addSql(
      `create policy organisation_operator on organisation to gatehouse_operator using (true) with check (true)`,
    )
    this.addSql(
      `create policy principal_operator on principal to gatehouse_operator using (true) with check (true)`,
    )
    this.addSql(
      `create policy role_operator_select on role for select to gatehouse_operator using (true)`,
    )

    this.addSql(`grant select, update on organisation to gatehouse_tenant, gatehouse_operator`)
    this.addSql(`grant select on organisation, role, principal to gatehouse_self`)
    this.addSql(`grant select on role, principal to gatehouse_operator`)
    this.addSql(`grant select, insert, update on role, principal to gatehouse_tenant`)
    this.addSql(`grant select, insert, update on organisation, role, principal to gatehouse_system`)
    this.addSql(`grant select, insert, delete on member_word to gatehouse_tenant, gatehouse_system`)
  }

  override down() {
    for (const policy of ['system', 'tenant', 'self_select', 'operator'])
      this.addSql(`drop policy organisation_${policy} on organisation`)
    for (const policy of ['system', 'tenant', 'self_select', 'operator_select'])
      this.addSql(`drop policy role_${policy} on role`)
    this.addSql('drop function app_own_principals()')
    this.addSql('drop function app_own_organisations()')
    this.addSql('drop table member_word')
    this.addSql('drop table principal')
  }
}
