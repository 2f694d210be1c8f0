import { Migration } from '@mikro-orm/migrations'

/** Projects, and who may enter them. The keys hold project, role and principal in one organisation. */
export class Migration20261121000600_project extends Migration {
  override up() {
    this.addSql(`create table project (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null constraint project_organisation_id references organisation,
  name text not null,
  sort_name text collate "C" not null,
  slug text not null,
  description text,
  sign_in_url text,
  registration_enabled boolean not null default false,
  registration_default_role_id uuid,
  registration_role_level text not null default 'PROJECT'
    constraint project_registration_role_level check (registration_role_level in ('PROJECT')),
  registration_allowed_email_domains text[] not null default '{}',
  registration_email_verification_required boolean not null default true,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  constraint project_in_organisation unique (organisation_id, id),
  constraint project_registration_role
    foreign key (organisation_id, registration_default_role_id, registration_role_level)
    references role (organisation_id, id, level)
)`)
    this.addSql(
      `create unique index project_slug on project (organisation_id, slug) where deleted_at is null`,
    )
    this.addSql(
      `create index project_by_name on project (organisation_id, sort_name, id) where deleted_at is null`,
    )

    this.addSql(`create table project_access (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null,
  project_id uuid not null,
  principal_id uuid not null,
  role_id uuid not null,
  role_level text not null default 'PROJECT'
    constraint project_access_role_level check (role_level in ('PROJECT')),
  constraint project_access_once unique (project_id, principal_id),
  constraint project_access_project foreign key (organisation_id, project_id)
    references project (organisation_id, id),
  constraint project_access_of foreign key (organisation_id, principal_id)
    references principal (organisation_id, id),
  constraint project_access_with_role foreign key (organisation_id, role_id, role_level)
    references role (organisation_id, id, level)
)`)
    this.addSql(`create index project_access_principal on project_access (principal_id, id)`)
    this.addSql(`create index project_access_role on project_access (role_id)`)

    for (const table of ['project', 'project_access']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(`create policy ${table}_tenant on ${table} to gatehouse_tenant
  using (organisation_id = app_organisation()) with check (organisation_id = app_organisation())`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(
        `create policy ${table}_operator_select on ${table} for select to gatehouse_operator using (true)`,
      )
    }
    this.addSql(`create policy project_self_select on project for select to gatehouse_self
  using (organisation_id in (select app_own_organisations()))`)
    this
      .addSql(`create policy project_access_self_select on project_access for select to gatehouse_self
  using (principal_id in (select app_own_principals()))`)
    this.addSql(`grant select, insert, update on project to gatehouse_tenant, gatehouse_system`)
    this.addSql(
      `grant select, insert, update, delete on project_access to gatehouse_tenant, gatehouse_system`,
    )
    this.addSql(`grant select on project, project_access to gatehouse_self, gatehouse_operator`)
  }

  override down() {
    this.addSql('drop table project_access')
    this.addSql('drop table project')
  }
}
