import { Migration } from '@mikro-orm/migrations'

// the secrets are for the system alone
const VISIBLE = `id, created_at, organisation_id, url, description, topics, enabled, created_by_id, updated_at, deleted_at`

/** Addresses that events are posted to, and each event on its way to each of them. */
export class Migration20261121001400_webhook extends Migration {
  override up() {
    this.addSql(`create table webhook (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null constraint webhook_organisation_id references organisation,
  url text not null,
  description text,
  topics text[] not null,
  enabled boolean not null default true,
  sealed_secret text not null,
  sealed_previous_secret text,
  previous_until timestamptz,
  failing_since timestamptz,
  attempted_until timestamptz,
  created_by_id uuid,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  constraint webhook_in_organisation unique (organisation_id, id),
  constraint webhook_created_by foreign key (organisation_id, created_by_id) references principal (organisation_id, id),
  constraint webhook_previous check ((sealed_previous_secret is null) = (previous_until is null)),
  constraint webhook_deleted check (deleted_at is null or not enabled)
)`)

    this.addSql(`create table webhook_delivery (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null,
  webhook_id uuid not null,
  event uuid not null,
  topic text not null,
  status text not null constraint webhook_delivery_status check (status in ('PENDING', 'SUCCEEDED', 'FAILED')),
  job uuid,
  attempts int not null default 0,
  response_status int,
  duration_ms int,
  begun_at timestamptz,
  last_attempt_at timestamptz,
  constraint webhook_delivery_once unique (webhook_id, event),
  constraint webhook_delivery_to foreign key (organisation_id, webhook_id) references webhook (organisation_id, id)
)`)
    this.addSql(`create index webhook_delivery_of on webhook_delivery (webhook_id, id)`)
    this.addSql(
      `create index webhook_delivery_by_status on webhook_delivery (webhook_id, status, id)`,
    )
    this.addSql(`create index webhook_delivery_created on webhook_delivery (created_at)`)

    for (const table of ['webhook', 'webhook_delivery']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(`create policy ${table}_tenant on ${table} to gatehouse_tenant
  using (organisation_id = app_organisation()) with check (organisation_id = app_organisation())`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(`grant select, insert, update, delete on ${table} to gatehouse_system`)
    }
    this.addSql(`grant select (${VISIBLE}), insert,
  update (url, description, topics, enabled, failing_since, updated_at, deleted_at) on webhook to gatehouse_tenant`)
    this.addSql(
      `grant select, insert, update (status, job, begun_at) on webhook_delivery to gatehouse_tenant`,
    )

    // asked with every event, in contexts that see no webhooks
    this.addSql(`create function app_webhook_waits(place uuid, topic text) returns boolean
language plpgsql stable set role = 'gatehouse_system' as $$ begin
  return exists (select from webhook w where w.organisation_id = place and w.enabled
    and w.topics && array[topic, split_part(topic, '.', 1) || '.*']);
end $$`)
  }

  override down() {
    this.addSql('drop function app_webhook_waits')
    this.addSql('drop table webhook_delivery')
    this.addSql('drop table webhook')
  }
}
