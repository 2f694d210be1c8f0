import { Migration } from '@mikro-orm/migrations'

const HERE = 'organisation_id = app_organisation()'
const MEMBER = `(select app_visibility()) = 'ORGANISATION' or principal_id in (select app_visible_principals())`
const OWNER = `(select app_visibility()) = 'ORGANISATION'
    or owner_id in (select app_visible_principals())
    or exists (select from principal m where m.id = owner_id and m.organisation_id = app_organisation()
      and m.kind = 'SERVICE_ACCOUNT' and m.removed_at is null)`
const TABLES = { session: MEMBER, invitation: MEMBER, member_word: MEMBER, api_key: OWNER }

/**
 * What tells of a member is shown and changed as far as the viewer's role shows the member, by policy too. Places in
 * projects are what that is decided by, so their own policy cannot ask: it names the organisation alone.
 */
export class Migration20261121001055_visibility extends Migration {
  override up() {
    for (const [table, shown] of Object.entries(TABLES)) {
      const seen = `${HERE} and (${shown})`
      this.addSql(`drop policy ${table}_tenant on ${table}`)
      this.addSql(
        `create policy ${table}_tenant_select on ${table} for select to gatehouse_tenant using (${seen})`,
      )
      this.addSql(
        `create policy ${table}_tenant_insert on ${table} for insert to gatehouse_tenant with check (${HERE})`,
      )
      this.addSql(`create policy ${table}_tenant_update on ${table} for update to gatehouse_tenant
  using (${seen}) with check (${HERE})`)
      this.addSql(
        `create policy ${table}_tenant_delete on ${table} for delete to gatehouse_tenant using (${seen})`,
      )
    }
  }

  override down() {
    for (const table of Object.keys(TABLES)) {
      for (const command of ['select', 'insert', 'update', 'delete'])
        this.addSql(`drop policy ${table}_tenant_${command} on ${table}`)
      this.addSql(`create policy ${table}_tenant on ${table} to gatehouse_tenant
  using (${HERE}) with check (${HERE})`)
    }
  }
}
