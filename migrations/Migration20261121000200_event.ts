import { Migration } from '@mikro-orm/migrations'

/** What happened: written once. Ids are plain, for an event outlives what it tells of. */
export class Migration20261121000200_event extends Migration {
  override up() {
    this.addSql(`create table event (
  id uuid primary key,
  organisation_id uuid,
  topic text not null,
  occurred_at timestamptz not null,
  outcome text not null constraint event_outcome check (outcome in ('SUCCEEDED', 'DENIED')),
  actor_kind text not null constraint event_actor_kind
    check (actor_kind in ('MEMBER', 'SERVICE_ACCOUNT', 'OPERATOR', 'ANONYMOUS', 'SYSTEM')),
  actor_id uuid,
  actor_user_id uuid,
  actor_name text not null,
  target_kind text,
  target_id uuid,
  target_name text,
  changes jsonb not null,
  reason text,
  ip_address text,
  user_agent text,
  request_id text
)`)
    this.addSql(`create index event_in_organisation on event (organisation_id, id)`)
    this.addSql(`alter table event enable row level security`)
    this.addSql(`alter table event force row level security`)
    this.addSql(`create policy event_tenant_select on event for select to gatehouse_tenant
  using (organisation_id = app_organisation())`)
    this.addSql(`create policy event_tenant_insert on event for insert to gatehouse_tenant
  with check (organisation_id = app_organisation())`)
    this.addSql(`create policy event_self_insert on event for insert to gatehouse_self
  with check (actor_user_id = app_user())`)
    for (const role of ['operator', 'system']) {
      this.addSql(
        `create policy event_${role}_select on event for select to gatehouse_${role} using (true)`,
      )
      this.addSql(
        `create policy event_${role}_insert on event for insert to gatehouse_${role} with check (true)`,
      )
    }
    // append-only: nobody may change or delete
    this.addSql(
      `grant select, insert on event to gatehouse_tenant, gatehouse_operator, gatehouse_system`,
    )
    this.addSql(`grant insert on event to gatehouse_self`)
  }

  override down() {
    this.addSql('drop table event')
  }
}
