import { Migration } from '@mikro-orm/migrations'

const LINK_VISIBLE = 'id, created_at, user_id, kind, email, expires_at, spent_at'
const FACTOR_VISIBLE =
  'id, created_at, user_id, name, confirmed_at, last_used_at, expires_at, removed_at'

/** Mailed links, second factors and the challenges between a first factor and a session. */
export class Migration20261121001000_ways_in extends Migration {
  override up() {
    // an account once proven is never unproven again, whatever happens to its login
    this.addSql(`alter table user_account add column proven_at timestamptz,
  add column second_factor boolean not null default false`)
    this.addSql(`update user_account set proven_at = email_verified_at`)
    this.addSql(`alter table user_account add constraint user_account_proven
  check (email_verified_at is null or proven_at is not null)`)
    this.addSql(
      `grant select (proven_at, second_factor) on user_account to gatehouse_self, gatehouse_operator`,
    )
    // what an organisation may know of it, kept in step by the transactions that change it
    this.addSql(`alter table principal add column second_factor boolean not null default false,
  add column unproven_project_id uuid,
  add constraint principal_unproven_project foreign key (organisation_id, unproven_project_id)
    references project (organisation_id, id)`)
    this.addSql(`alter table session add column confined_to_id uuid
  constraint session_confined_to references organisation,
  add constraint session_confined check (organisation_id is null or confined_to_id is null
    or organisation_id = confined_to_id)`)
    this.addSql(
      `grant select (confined_to_id) on session to gatehouse_tenant, gatehouse_self, gatehouse_operator`,
    )

    this.addSql(`create table link (
  id uuid primary key,
  created_at timestamptz not null,
  user_id uuid not null constraint link_user_id references user_account,
  kind text not null constraint link_kind
    check (kind in ('VERIFY_EMAIL', 'MAGIC_LINK', 'PASSWORD_RESET', 'EMAIL_CHANGE')),
  email text not null,
  token_digest text not null constraint link_token_digest unique,
  organisation_id uuid,
  project_id uuid,
  expires_at timestamptz not null,
  spent_at timestamptz,
  constraint link_project foreign key (organisation_id, project_id) references project (organisation_id, id),
  constraint link_place check ((organisation_id is null) = (project_id is null))
)`)
    // the newest link of a kind is the only one that works
    this.addSql(`create unique index link_open on link (user_id, kind) where spent_at is null`)
    this.addSql(`create index link_expires on link (expires_at)`)

    this.addSql(`create table totp_factor (
  id uuid primary key,
  created_at timestamptz not null,
  user_id uuid not null constraint totp_factor_user_id references user_account,
  name text not null,
  sealed_seed text not null,
  confirmed_at timestamptz,
  last_step bigint,
  last_used_at timestamptz,
  expires_at timestamptz,
  removed_at timestamptz,
  constraint totp_factor_pending check ((confirmed_at is null) = (expires_at is not null))
)`)
    this.addSql(
      `create index totp_factor_user on totp_factor (user_id, id) where removed_at is null`,
    )

    this.addSql(`create table recovery_code (
  user_id uuid not null constraint recovery_code_user_id references user_account,
  digest text not null,
  created_at timestamptz not null,
  used_at timestamptz,
  primary key (user_id, digest)
)`)

    this.addSql(`create table challenge (
  id uuid primary key,
  created_at timestamptz not null,
  user_id uuid not null constraint challenge_user_id references user_account,
  token_digest text not null constraint challenge_token_digest unique,
  method text not null constraint challenge_method check (method in ('PASSWORD', 'MAGIC_LINK')),
  wanted_id uuid,
  confined_to_id uuid constraint challenge_confined_to references organisation,
  guesses int not null default 0,
  expires_at timestamptz not null,
  spent_at timestamptz
)`)
    this.addSql(`create index challenge_user on challenge (user_id) where spent_at is null`)
    this.addSql(`create index challenge_expires on challenge (expires_at)`)

    for (const table of ['link', 'totp_factor', 'recovery_code', 'challenge']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(`grant select, insert, update, delete on ${table} to gatehouse_system`)
    }
    for (const table of ['link', 'totp_factor', 'recovery_code']) {
      this.addSql(`create policy ${table}_self_select on ${table} for select to gatehouse_self
  using (user_id = app_user())`)
      this.addSql(
        `create policy ${table}_operator_select on ${table} for select to gatehouse_operator using (true)`,
      )
    }
    // digests and seeds leave their tables as *system* only
    this.addSql(`grant select (${LINK_VISIBLE}) on link to gatehouse_self, gatehouse_operator`)
    this.addSql(
      `grant select (${FACTOR_VISIBLE}) on totp_factor to gatehouse_self, gatehouse_operator`,
    )
    this.addSql(
      `grant select (user_id, created_at, used_at) on recovery_code to gatehouse_self, gatehouse_operator`,
    )
  }

  override down() {
    for (const table of ['challenge', 'recovery_code', 'totp_factor', 'link'])
      this.addSql(`drop table ${table}`)
    this.addSql(`alter table session drop constraint session_confined, drop column confined_to_id`)
    this.addSql(`alter table principal drop constraint principal_unproven_project,
  drop column unproven_project_id, drop column second_factor`)
    this.addSql(`alter table user_account drop constraint user_account_proven,
  drop column proven_at, drop column second_factor`)
  }
}
