import { Migration } from '@mikro-orm/migrations'

const VISIBLE = `id, created_at, email, email_verified_at, first_name, last_name, locale, time_zone, phone_number,
  password_changed_at, status, suspended_until, locked_at, operator, last_sign_in_at, last_organisation_id,
  updated_at, deleted_at`

/** Accounts. No tenant ever reads them: organisations see members. */
export class Migration20261121000300_user_account extends Migration {
  override up() {
    this.addSql(`create table user_account (
  id uuid primary key,
  created_at timestamptz not null,
  email text not null,
  email_verified_at timestamptz,
  first_name text not null,
  last_name text not null,
  locale text not null default 'en',
  time_zone text not null default 'UTC',
  phone_number text,
  password_hash text,
  password_changed_at timestamptz,
  status text not null default 'ACTIVE'
    constraint user_account_status check (status in ('ACTIVE', 'SUSPENDED', 'INACTIVE')),
  suspended_until timestamptz,
  locked_at timestamptz,
  operator boolean not null default false,
  last_sign_in_at timestamptz,
  last_organisation_id uuid,
  updated_at timestamptz not null,
  deleted_at timestamptz
)`)
    this.addSql(
      `create unique index user_account_email on user_account (email) where deleted_at is null`,
    )
    this.addSql(`create index user_account_operator on user_account (operator) where operator`)
    this.addSql(`alter table user_account enable row level security`)
    this.addSql(`alter table user_account force row level security`)
    this.addSql(`create policy user_account_self on user_account to gatehouse_self
  using (id = app_user()) with check (id = app_user())`)
    this.addSql(
      `create policy user_account_operator on user_account to gatehouse_operator using (true) with check (true)`,
    )
    this.addSql(
      `create policy user_account_system on user_account to gatehouse_system using (true) with check (true)`,
    )
    // password hashes leave the table as *system* only
    this.addSql(`grant select (${VISIBLE}) on user_account to gatehouse_self, gatehouse_operator`)
    this.addSql(`grant select, insert, update on user_account to gatehouse_system`)
  }

  override down() {
    this.addSql('drop table user_account')
  }
}
