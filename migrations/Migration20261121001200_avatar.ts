import { Migration } from '@mikro-orm/migrations'

// the contexts in which a row is changed may not read accounts, nor memberships elsewhere
const AS_SYSTEM = `returns trigger language plpgsql set role = 'gatehouse_system'`

/** Images of people: uploads under way, and the images themselves. */
export class Migration20261121001200_avatar extends Migration {
  override up() {
    this.addSql(`alter table user_account add column avatar_key text`)
    this.addSql(`grant select (avatar_key) on user_account to gatehouse_self, gatehouse_operator`)
    this.addSql(`alter table principal add column avatar_key text`)
    this.addSql(`create function app_avatar_changed() ${AS_SYSTEM} as $$ begin
  update principal set avatar_key = new.avatar_key where user_id = new.id and removed_at is null;
  return new; end $$`)
    this
      .addSql(`create trigger user_account_avatar_changed after update of avatar_key on user_account
  for each row execute function app_avatar_changed()`)
    this.addSql(`create function app_avatar_given() ${AS_SYSTEM} as $$ begin
  new.avatar_key := (select u.avatar_key from user_account u where u.id = new.user_id);
  return new; end $$`)
    this
      .addSql(`create trigger principal_avatar_given before insert or update of user_id on principal
  for each row when (new.user_id is not null) execute function app_avatar_given()`)

    this.addSql(`create table avatar_upload (
  id uuid primary key,
  created_at timestamptz not null,
  user_id uuid not null constraint avatar_upload_user_id references user_account,
  content_type text not null,
  size int not null,
  avatar_key text,
  expires_at timestamptz not null,
  spent_at timestamptz
)`)
    // the latest upload of a person is the only one that counts
    this.addSql(
      `create unique index avatar_upload_open on avatar_upload (user_id) where spent_at is null`,
    )
    this.addSql(`create table avatar_image (
  key text not null,
  pixels int not null,
  created_at timestamptz not null,
  bytes bytea not null,
  primary key (key, pixels)
)`)
    for (const table of ['avatar_upload', 'avatar_image']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(`grant select, insert, update, delete on ${table} to gatehouse_system`)
    }
  }

  override down() {
    this.addSql('drop table avatar_image')
    this.addSql('drop table avatar_upload')
    this.addSql('drop trigger principal_avatar_given on principal')
    this.addSql('drop function app_avatar_given')
    this.addSql('drop trigger user_account_avatar_changed on user_account')
    this.addSql('drop function app_avatar_changed')
    this.addSql('alter table principal drop column avatar_key')
    this.addSql('alter table user_account drop column avatar_key')
  }
}
