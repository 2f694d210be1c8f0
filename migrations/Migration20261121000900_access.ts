import { Migration } from '@mikro-orm/migrations'

const VISIBLE = `id, created_at, organisation_id, owner_id, name, prefix, scopes, confined, allowed_ip_ranges,
  created_by_id, issued_at, expires_at, expiry_limit, last_used_at, last_used_ip_address, revoked_at, updated_at`

/** Permissions of an organisation's own, visibility in the policies, and API keys. */
export class Migration20261121000900_access extends Migration {
  override up() {
    this.addSql(`create table permission (
  organisation_id uuid not null constraint permission_organisation_id references organisation,
  name text not null,
  description text not null,
  level text not null constraint permission_level check (level in ('ORGANISATION', 'PROJECT')),
  created_at timestamptz not null,
  primary key (organisation_id, name)
)`)

    this.addSql(`alter table event add column api_key_id uuid`)

    this
      .addSql(`alter table principal add column description text, add column return_barred boolean not null default false,
   add column created_by_id uuid,
  add constraint principal_created_by foreign key (organisation_id, created_by_id)
    references principal (organisation_id, id)`)

    // Which members a role shows is enforced here as well: what it hides cannot be read or changed in its name.
    this.addSql(`create function app_principal() returns uuid language sql stable
as $$ select nullif(current_setting('app.principal', true), '')::uuid $$`)
    this.addSql(`create function app_visibility() returns text language sql stable
as $$ select nullif(current_setting('app.visibility', true), '') $$`)
    this.addSql(`create function app_visible_principals() returns setof uuid language sql stable
as $$ select other.principal_id from project_access mine join project_access other on other.project_id = mine.project_id
  where mine.principal_id = app_principal() and app_visibility() = 'SHARED_PROJECTS'
  union select app_principal() $$`)
    this.addSql(`drop policy principal_tenant on principal`)
    const seen = `organisation_id = app_organisation() and (kind = 'SERVICE_ACCOUNT'
    or (select app_visibility()) = 'ORGANISATION' or id in (select app_visible_principals()))`
    this.addSql(
      `create policy principal_tenant_select on principal for select to gatehouse_tenant using (${seen})`,
    )
    this.addSql(`create policy principal_tenant_insert on principal for insert to gatehouse_tenant
  with check (organisation_id = app_organisation())`)
    this.addSql(`create policy principal_tenant_update on principal for update to gatehouse_tenant
  using (${seen}) with check (organisation_id = app_organisation())`)

    this.addSql(`create table api_key (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null,
  owner_id uuid not null,
  name text not null,
  prefix text,
  digest text constraint api_key_digest unique,
  previous_digest text,
  previous_until timestamptz,
  scopes text[] not null,
  confined boolean not null default false,
  allowed_ip_ranges text[],
  created_by_id uuid,
  issued_at timestamptz,
  expires_at timestamptz,
  expiry_limit timestamptz,
  last_used_at timestamptz,
  last_used_ip_address text,
  revoked_at timestamptz,
  updated_at timestamptz not null,
  constraint api_key_in_organisation unique (organisation_id, id),
  constraint api_key_owner foreign key (organisation_id, owner_id) references principal (organisation_id, id),
  constraint api_key_created_by foreign key (organisation_id, created_by_id) references principal (organisation_id, id),
  -- without a secret there is nothing to show or to try
  constraint api_key_secret check ((digest is null) = (prefix is null) and (digest is null) = (issued_at is null))
)`)
    this.addSql(`create index api_key_of_owner on api_key (owner_id, id)`)
    this.addSql(`create index api_key_in_order on api_key (organisation_id, id)`)
    this.addSql(
      `create index api_key_previous on api_key (previous_digest) where previous_digest is not null`,
    )

    this.addSql(`create table api_key_project (
  organisation_id uuid not null,
  api_key_id uuid not null,
  project_id uuid not null,
  primary key (api_key_id, project_id),
  constraint api_key_project_of foreign key (organisation_id, api_key_id) references api_key (organisation_id, id),
  constraint api_key_project_in foreign key (organisation_id, project_id) references project (organisation_id, id)
)`)

    this.addSql(`create function app_own_keys() returns setof uuid language sql stable
as $$ select id from api_key where owner_id in (select app_own_principals()) $$`)

    for (const table of ['permission', 'api_key', 'api_key_project']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(`create policy ${table}_tenant on ${table} to gatehouse_tenant
  using (organisation_id = app_organisation()) with check (organisation_id = app_organisation())`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
    }
    this.addSql(`create policy permission_self_select on permission for select to gatehouse_self
  using (organisation_id in (select app_own_organisations()))`)
    this.addSql(
      `create policy permission_operator_select on permission for select to gatehouse_operator using (true)`,
    )
    this.addSql(`create policy api_key_self_select on api_key for select to gatehouse_self
  using (owner_id in (select app_own_principals()))`)
    this.addSql(
      `create policy api_key_operator_select on api_key for select to gatehouse_operator using (true)`,
    )
    this
      .addSql(`create policy api_key_project_self_select on api_key_project for select to gatehouse_self
  using (api_key_id in (select app_own_keys()))`)
    this.addSql(
      `create policy api_key_project_operator_select on api_key_project for select to gatehouse_operator using (true)`,
    )

    this.addSql(`grant select, insert, delete on permission to gatehouse_tenant, gatehouse_system`)
    this.addSql(`grant select (${VISIBLE}), insert, update on api_key to gatehouse_tenant`)
    this.addSql(`grant select (${VISIBLE}) on api_key to gatehouse_self, gatehouse_operator`)
    this.addSql(`grant select, insert, update on api_key to gatehouse_system`)
    this.addSql(
      `grant select, insert, delete on api_key_project to gatehouse_tenant, gatehouse_system`,
    )
    this.addSql(`grant select on permission, api_key_project to gatehouse_self, gatehouse_operator`)
    // what operators may do to accounts and organisations, column by column
    this.addSql(
      `grant update (status, suspended_until, locked_at, operator, updated_at) on user_account to gatehouse_operator`,
    )
  }

  override down() {
    this.addSql('drop table api_key_project')
    this.addSql('drop function app_own_keys()')
    this.addSql('drop table api_key')
    this.addSql('drop table permission')
    for (const command of ['select', 'insert', 'update'])
      this.addSql(`drop policy principal_tenant_${command} on principal`)
    this.addSql(`create policy principal_tenant on principal to gatehouse_tenant
  using (organisation_id = app_organisation()) with check (organisation_id = app_organisation())`)
    this.addSql('drop function app_visible_principals()')
    this.addSql('drop function app_visibility()')
    this.addSql('drop function app_principal()')
    this.addSql(
      'alter table principal drop column created_by_id, drop column description, drop column return_barred',
    )
    this.addSql('alter table event drop column api_key_id')
    this.addSql('revoke update on user_account from gatehouse_operator')
  }
}
