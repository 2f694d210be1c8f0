import { Migration } from '@mikro-orm/migrations'

/** What people are told of, how they want to be told, and how far their digests have come. */
export class Migration20261121001500_notification extends Migration {
  override up() {
    this.addSql(`create table notification (
  id uuid primary key,
  created_at timestamptz not null,
  user_id uuid not null constraint notification_user_id references user_account,
  organisation_id uuid constraint notification_organisation_id references organisation,
  topic text not null,
  category text not null,
  mail jsonb not null,
  actor_id uuid constraint notification_actor_id references user_account,
  shown_at timestamptz,
  read_at timestamptz,
  rhythm text constraint notification_rhythm check (rhythm in ('DAILY', 'WEEKLY')),
  due_at timestamptz,
  constraint notification_waits check ((rhythm is null) = (due_at is null))
)`)
    this.addSql(`create index notification_of on notification (user_id, id)`)
    this.addSql(`create index notification_unread on notification (user_id, id)
  where read_at is null and shown_at is not null`)
    this.addSql(`create index notification_due on notification (due_at) where due_at is not null`)
    this.addSql(
      `create index notification_by on notification (actor_id) where actor_id is not null`,
    )
    this.addSql(
      `create index notification_read on notification (read_at) where read_at is not null`,
    )
    this.addSql(`create index notification_created on notification (created_at)`)

    this.addSql(`create table notification_preference (
  user_id uuid not null constraint notification_preference_user_id references user_account,
  category text not null constraint notification_preference_optional check (category <> 'SECURITY'),
  channel text not null constraint notification_preference_channel check (channel in ('EMAIL', 'IN_APP')),
  frequency text not null
    constraint notification_preference_frequency check (frequency in ('IMMEDIATELY', 'DAILY', 'WEEKLY', 'NEVER')),
  updated_at timestamptz not null,
  primary key (user_id, category, channel)
)`)

    this.addSql(`create table notification_digest (
  user_id uuid not null constraint notification_digest_user_id references user_account,
  rhythm text not null constraint notification_digest_rhythm check (rhythm in ('DAILY', 'WEEKLY')),
  period timestamptz not null,
  primary key (user_id, rhythm)
)`)

    for (const table of ['notification', 'notification_preference', 'notification_digest']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(`grant select, insert, update, delete on ${table} to gatehouse_system`)
    }
    for (const table of ['notification', 'notification_preference'])
      this.addSql(`create policy ${table}_self on ${table} to gatehouse_self
  using (user_id = app_user()) with check (user_id = app_user())`)
    this.addSql(`grant select, update (read_at, rhythm, due_at) on notification to gatehouse_self`)
    this.addSql(
      `grant select, insert, update (frequency, updated_at) on notification_preference to gatehouse_self`,
    )
  }

  override down() {
    this.addSql('drop table notification_digest')
    this.addSql('drop table notification_preference')
    this.addSql('drop table notification')
  }
}
