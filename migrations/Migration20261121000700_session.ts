import { Migration } from '@mikro-orm/migrations'

const VISIBLE = `id, created_at, user_id, organisation_id, principal_id, project_id, method, authenticated_at,
  mfa_verified_at, last_active_at, expires_at, ended_at, end_reason, refresh_counter, refreshed_at, generation,
  delivery, ip_address, user_agent`

/** Sessions, the keys that sign their access tokens, and the guesses made at credentials. */
export class Migration20261121000700_session extends Migration {
  override up() {
    this.addSql(`create table session (
  id uuid primary key,
  created_at timestamptz not null,
  user_id uuid not null constraint session_user_id references user_account,
  organisation_id uuid,
  principal_id uuid,
  project_id uuid,
  method text not null constraint session_method check (method in ('PASSWORD', 'MAGIC_LINK')),
  authenticated_at timestamptz not null,
  mfa_verified_at timestamptz,
  last_active_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  end_reason text,
  refresh_seed text not null,
  refresh_counter int not null default 0,
  refresh_digest text not null,
  refreshed_at timestamptz,
  generation int not null default 0,
  delivery text not null default 'BODY',
  ip_address text not null,
  user_agent text,
  constraint session_place check
    ((organisation_id is null) = (principal_id is null) and (project_id is null or organisation_id is not null)),
  constraint session_principal foreign key (organisation_id, principal_id)
    references principal (organisation_id, id),
  constraint session_project foreign key (organisation_id, project_id) references project (organisation_id, id)
)`)
    this.addSql(
      `create index session_of_user on session (user_id, last_active_at, id) where ended_at is null`,
    )
    this.addSql(
      `create index session_in_organisation on session (organisation_id, last_active_at, id) where ended_at is null`,
    )
    this.addSql(
      `create index session_of_principal on session (principal_id, last_active_at, id) where ended_at is null`,
    )
    this.addSql(`alter table session enable row level security`)
    this.addSql(`alter table session force row level security`)
    this.addSql(`create policy session_tenant on session to gatehouse_tenant
  using (organisation_id = app_organisation()) with check (organisation_id = app_organisation())`)
    this.addSql(`create policy session_self on session to gatehouse_self
  using (user_id = app_user()) with check (user_id = app_user())`)
    this.addSql(
      `create policy session_operator on session to gatehouse_operator using (true) with check (true)`,
    )
    this.addSql(
      `create policy session_system on session to gatehouse_system using (true) with check (true)`,
    )
    // what refresh tokens are made from leaves the table as *system* only
    this.addSql(
      `grant select (${VISIBLE}) on session to gatehouse_tenant, gatehouse_self, gatehouse_operator`,
    )
    this.addSql(
      `grant update (ended_at, end_reason) on session to gatehouse_tenant, gatehouse_self, gatehouse_operator`,
    )
    this.addSql(`grant select, insert, update on session to gatehouse_system`)

    this.addSql(`create table signing_key (
  id text primary key,
  public_key jsonb not null,
  sealed_private_key text not null,
  created_at timestamptz not null,
  retired_at timestamptz
)`)
    this.addSql(`create table attempt (
  key text primary key,
  count int not null,
  blocked_until timestamptz,
  forgotten_at timestamptz not null
)`)
    this.addSql(`create index attempt_forgotten on attempt (forgotten_at)`)
    for (const table of ['signing_key', 'attempt']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(`grant select, insert, update, delete on ${table} to gatehouse_system`)
    }
  }

  override down() {
    this.addSql('drop table attempt')
    this.addSql('drop table signing_key')
    this.addSql('drop table session')
  }
}
