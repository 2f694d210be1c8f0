import { Migration } from '@mikro-orm/migrations'

/** What a person's sign-ins have looked like so far, and what the purge of sessions needs. */
export class Migration20261121001100_session_keeping extends Migration {
  override up() {
    this.addSql(`create table sighting (
  user_id uuid not null constraint sighting_user_id references user_account,
  trait text not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (user_id, trait)
)`)
    this.addSql(`create index sighting_last_seen on sighting (last_seen_at)`)
    this.addSql(`alter table sighting enable row level security`)
    this.addSql(`alter table sighting force row level security`)
    this.addSql(
      `create policy sighting_system on sighting to gatehouse_system using (true) with check (true)`,
    )
    this.addSql(`grant select, insert, update, delete on sighting to gatehouse_system`)

    this.addSql(`create index session_ended on session (ended_at) where ended_at is not null`)
    this.addSql(`grant delete on session to gatehouse_system`)
  }

  override down() {
    this.addSql(`revoke delete on session from gatehouse_system`)
    this.addSql(`drop index session_ended`)
    this.addSql(`drop table sighting`)
  }
}
