import { Migration } from '@mikro-orm/migrations'

/** Tenants with their policies, and the policies of the platform. */
export class Migration20261121000400_organisation extends Migration {
  override up() {
    this.addSql(`create table platform_settings (
  id smallint primary key constraint platform_settings_single check (id = 1),
  mfa_issuer text not null,
  mfa_enabled boolean not null,
  mfa_required boolean not null,
  password_min_length int not null,
  password_block_common boolean not null,
  password_min_character_kinds int not null,
  session_idle_minutes int not null,
  session_lifetime_hours int not null,
  session_max_per_user int not null,
  failed_sign_in_limit int not null,
  failed_sign_in_window_minutes int not null,
  organisation_creation_open boolean not null,
  updated_at timestamptz not null
)`)
    this.addSql(`alter table platform_settings enable row level security`)
    this.addSql(`alter table platform_settings force row level security`)
    this.addSql(
      `create policy platform_settings_tenant_select on platform_settings for select to gatehouse_tenant using (true)`,
    )
    this.addSql(
      `create policy platform_settings_self_select on platform_settings for select to gatehouse_self using (true)`,
    )
    this.addSql(
      `create policy platform_settings_operator on platform_settings to gatehouse_operator using (true) with check (true)`,
    )
    this.addSql(
      `create policy platform_settings_system on platform_settings to gatehouse_system using (true) with check (true)`,
    )
    this.addSql(`grant select on platform_settings to gatehouse_tenant, gatehouse_self`)
    this.addSql(`grant select, update on platform_settings to gatehouse_operator`)
    this.addSql(`grant select, insert, update on platform_settings to gatehouse_system`)

    this.addSql(`create table organisation (
  id uuid primary key,
  created_at timestamptz not null,
  name text not null,
  slug text not null,
  suspended_at timestamptz,
  password_min_length int,
  password_block_common boolean,
  password_min_character_kinds int,
  session_idle_minutes int,
  session_lifetime_hours int,
  session_max_per_user int,
  api_key_max_lifetime_days int,
  api_key_self_service boolean not null default false,
  sign_in_methods text[] not null default '{PASSWORD,MAGIC_LINK}',
  mfa_required boolean not null default false,
  invitation_lifetime_hours int not null default 168,
  allowed_email_domains text[] not null default '{}',
  default_role_id uuid,
  default_role_level text not null default 'ORGANISATION'
    constraint organisation_default_role_level check (default_role_level in ('ORGANISATION')),
  updated_at timestamptz not null,
  deleted_at timestamptz
)`)
    this.addSql(
      `create unique index organisation_slug on organisation (slug) where deleted_at is null`,
    )

    this.addSql(`create table role (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null constraint role_organisation_id references organisation,
  name text not null,
  sort_name text collate "C" not null,
  description text,
  level text not null constraint role_level check (level in ('ORGANISATION', 'PROJECT')),
  permissions text[] not null,
  visibility text not null default 'ORGANISATION'
    constraint role_visibility check (visibility in ('ORGANISATION', 'SHARED_PROJECTS', 'SELF')),
  built_in boolean not null default false,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  constraint role_of_level unique (organisation_id, id, level)
)`)
    this.addSql(
      `create unique index role_name on role (organisation_id, level, sort_name) where deleted_at is null`,
    )
    this.addSql(`create index role_organisation on role (organisation_id, sort_name, id)`)
    // Deferred: the organisation and its roles are founded in one transaction.
    this.addSql(`alter table organisation add constraint organisation_default_role
  foreign key (id, default_role_id, default_role_level) references role (organisation_id, id, level)
  deferrable initially deferred`)
  }

  override down() {
    this.addSql('alter table organisation drop constraint organisation_default_role')
    this.addSql('drop table role')
    this.addSql('drop table organisation')
    this.addSql('drop table platform_settings')
  }
}
