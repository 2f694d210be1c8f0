import { Migration } from '@mikro-orm/migrations'

const VISIBLE = `id, created_at, organisation_id, principal_id, email, mailed, inviter_id, hands_over, sent_at, expires_at,
  closed_at, outcome`

/** Offers of membership. The row keeps a token's digest, never the token. */
export class Migration20261121000800_invitation extends Migration {
  override up() {
    this.addSql(`create table invitation (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null,
  principal_id uuid not null,
  email text not null,
  token_digest text not null constraint invitation_token unique,
  mailed boolean not null,
  inviter_id uuid,
  hands_over boolean not null default false,
  sent_at timestamptz,
  expires_at timestamptz not null,
  closed_at timestamptz,
  outcome text constraint invitation_outcome check (outcome in ('ACCEPTED', 'DECLINED', 'REVOKED')),
  constraint invitation_closed check ((closed_at is null) = (outcome is null)),
  constraint invitation_of foreign key (organisation_id, principal_id) references principal (organisation_id, id),
  constraint invitation_inviter foreign key (organisation_id, inviter_id) references principal (organisation_id, id)
)`)
    this.addSql(
      `create unique index invitation_open_address on invitation (organisation_id, email) where closed_at is null`,
    )
    this.addSql(`create index invitation_of_member on invitation (principal_id, id)`)
    this.addSql(`create index invitation_in_organisation on invitation (organisation_id, id)`)
    this.addSql(`alter table invitation enable row level security`)
    this.addSql(`alter table invitation force row level security`)
    this.addSql(`create policy invitation_tenant on invitation to gatehouse_tenant
  using (organisation_id = app_organisation()) with check (organisation_id = app_organisation())`)
    this.addSql(
      `create policy invitation_system on invitation to gatehouse_system using (true) with check (true)`,
    )
    this.addSql(`create policy invitation_self_select on invitation for select to gatehouse_self
  using (principal_id in (select app_own_principals()))`)
    this.addSql(`grant select (${VISIBLE}) on invitation to gatehouse_self`)
    this.addSql(`grant select (${VISIBLE}), insert, update on invitation to gatehouse_tenant`)
    this.addSql(`grant select, insert, update on invitation to gatehouse_system`)
  }

  override down() {
    this.addSql('drop table invitation')
  }
}
