import { Migration } from '@mikro-orm/migrations'

// Whoever changes a factor, links an account to a membership or sets a password need not think of what follows from
// it. The functions act as the system, for a tenant who adds a member may not read accounts.
const AS_SYSTEM = `returns trigger language plpgsql set role = 'gatehouse_system'`

/** Keeps accounts and memberships in step with the factors behind them, and challenges with the password. */
export class Migration20261121001010_second_factor extends Migration {
  override up() {
    this.addSql(`create function app_factor_changed() ${AS_SYSTEM} as $$
declare
  account uuid := case tg_op when 'DELETE' then old.user_id else new.user_id end;
  has boolean;
begin
  -- locked first, so that of two changes at once the later one sees what the earlier one did
  perform from user_account where id = account for no key update;
  has := exists (select from totp_factor
    where user_id = account and confirmed_at is not null and removed_at is null);
  update user_account set second_factor = has where id = account and second_factor <> has;
  update principal set second_factor = has where user_id = account and second_factor <> has;
  return null;
end $$`)
    this.addSql(`create trigger totp_factor_changed
  after insert or delete or update of user_id, confirmed_at, removed_at on totp_factor
  for each row execute function app_factor_changed()`)

    this.addSql(`create function app_account_linked() ${AS_SYSTEM} as $$
begin
  -- locked against change: a factor confirmed meanwhile would miss a membership that is not committed yet
  select second_factor into new.second_factor from user_account where id = new.user_id for share;
  return new;
end $$`)
    for (const [name, event] of [
      ['principal_account_given', 'insert'],
      ['principal_account_changed', 'update of user_id'],
    ])
      this.addSql(`create trigger ${name} before ${event} on principal
  for each row when (new.user_id is not null) execute function app_account_linked()`)

    // whoever knew the old password is asked for nothing any more
    this.addSql(`create function app_password_changed() ${AS_SYSTEM} as $$
begin
  update challenge set spent_at = coalesce(new.password_changed_at, new.updated_at)
    where user_id = new.id and spent_at is null;
  return null;
end $$`)
    this.addSql(`create trigger user_account_password_changed
  after update of password_changed_at on user_account for each row
  when (new.password_changed_at is distinct from old.password_changed_at)
  execute function app_password_changed()`)
  }

  override down() {
    this.addSql('drop trigger user_account_password_changed on user_account')
    this.addSql('drop trigger principal_account_changed on principal')
    this.addSql('drop trigger principal_account_given on principal')
    this.addSql('drop trigger totp_factor_changed on totp_factor')
    for (const name of ['app_password_changed', 'app_account_linked', 'app_factor_changed'])
      this.addSql(`drop function ${name}()`)
  }
}
