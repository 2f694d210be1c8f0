import { Migration } from '@mikro-orm/migrations'

const ROLES = ['gatehouse_tenant', 'gatehouse_self', 'gatehouse_operator', 'gatehouse_system']

/** The four roles that statements run as, and how policies read on whose behalf. */
export class Migration20261121000100_contexts extends Migration {
  override up() {
    // Roles belong to the whole cluster: another database may have made them, or an administrator beforehand.
    for (const role of ROLES)
      this.addSql(`do $do$
begin
  if not exists (select from pg_roles where rolname = '${role}') then
    begin
      create role ${role} nologin;
    exception
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        raise exception 'The role ${role} is missing and % may not create it. See "PostgreSQL" in the README.', current_user;
    end;
    execute format('grant ${role} to %I', current_user);
  end if;
  if not pg_has_role(current_user, '${role}', 'member') then
    raise exception '% must be a member of the role ${role}. See "PostgreSQL" in the README.', current_user;
  end if;
  if exists (select from pg_roles where rolname = '${role}' and (rolsuper or rolbypassrls)) then
    raise exception 'The role ${role} must be bound by row-level security.';
  end if;
end $do$`)

    // An unset name must read as null, never fail: an unset context sees nothing.
    this.addSql(`create function app_organisation() returns uuid language sql stable
as $$ select nullif(current_setting('app.organisation', true), '')::uuid $$`)
    this.addSql(`create function app_user() returns uuid language sql stable
as $$ select nullif(current_setting('app.user', true), '')::uuid $$`)
  }

  override down() {
    this.addSql('drop function app_user()')
    this.addSql('drop function app_organisation()')
    // the roles stay: other databases of the cluster may use them
  }
}
