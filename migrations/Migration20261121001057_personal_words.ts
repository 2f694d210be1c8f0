import { Migration } from '@mikro-orm/migrations'

const VISIBLE = `id, created_at, organisation_id, principal_id, email, mailed, inviter_id, sent_at, expires_at, closed_at,
  outcome, message`

// Read by the policies of *self*. It runs as the caller, so it knows the caller's own address alone.
const OWN_EMAIL = `create function app_own_email() returns text language sql stable
as $$ select email from user_account where id = app_user() and email_verified_at is not null $$`
const INVITED = `status = 'INVITED' and removed_at is null and email = (select app_own_email())`

/**
 * Personal words in an invitation, and open invitations shown to whoever has proven the address: with the membership
 * that waits, its organisation and its role, and nothing else of the organisation.
 */
export class Migration20261121001057_personal_words extends Migration {
  override up() {
    this.addSql(`alter table invitation add column message text`)
    this.addSql(`grant select (message) on invitation to gatehouse_self, gatehouse_tenant`)
    this.addSql(
      `create index invitation_open_for on invitation (email, id) where closed_at is null`,
    )
    this.addSql(
      `create index principal_invited on principal (email) where status = 'INVITED' and removed_at is null`,
    )
    this.addSql(OWN_EMAIL)
    this.addSql(`create function app_inviting_organisations() returns setof uuid language sql stable
as $$ select organisation_id from principal where ${INVITED} $$`)
    this.addSql(`create function app_offered_roles() returns setof uuid language sql stable
as $$ select role_id from principal where ${INVITED} $$`)
    this.addSql(`create policy invitation_self_invited on invitation for select to gatehouse_self
  using (closed_at is null and email = (select app_own_email()))`)
    this.addSql(`create policy principal_self_invited on principal for select to gatehouse_self
  using (${INVITED})`)
    this
      .addSql(`create policy organisation_self_invited on organisation for select to gatehouse_self
  using (id in (select app_inviting_organisations()))`)
    this.addSql(`create policy role_self_invited on role for select to gatehouse_self
  using (id in (select app_offered_roles()))`)
    this.addSql(
      `create policy invitation_operator_select on invitation for select to gatehouse_operator using (true)`,
    )
    this.addSql(`grant select (${VISIBLE}) on invitation to gatehouse_operator`)
  }

  override down() {
    this.addSql(`drop policy invitation_operator_select on invitation`)
    this.addSql(`revoke select (${VISIBLE}) on invitation from gatehouse_operator`)
    for (const table of ['role', 'organisation', 'principal', 'invitation'])
      this.addSql(`drop policy ${table}_self_invited on ${table}`)
    this.addSql('drop function app_offered_roles()')
    this.addSql('drop function app_inviting_organisations()')
    this.addSql('drop function app_own_email()')
    this.addSql('drop index principal_invited')
    this.addSql('drop index invitation_open_for')
    this.addSql('alter table invitation drop column message')
  }
}
