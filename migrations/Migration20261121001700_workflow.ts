import { Migration } from '@mikro-orm/migrations'

/** Steps that run when something happens, and each passage through them. */
export class Migration20261121001700_workflow extends Migration {
  override up() {
    this.addSql(`create table workflow (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null constraint workflow_organisation_id references organisation,
  name text not null,
  description text,
  topic text not null,
  project_id uuid,
  enabled boolean not null default true,
  updated_by_id uuid not null,
  updated_with_id uuid,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  constraint workflow_in_organisation unique (organisation_id, id),
  constraint workflow_project foreign key (organisation_id, project_id) references project (organisation_id, id),
  constraint workflow_updated_by foreign key (organisation_id, updated_by_id) references principal (organisation_id, id),
  constraint workflow_updated_with foreign key (organisation_id, updated_with_id)
    references api_key (organisation_id, id),
  constraint workflow_deleted check (deleted_at is null or not enabled)
)`)
    this.addSql(`create index workflow_awaiting on workflow (organisation_id, topic) where enabled`)
    this.addSql(
      `create index workflow_project on workflow (project_id) where project_id is not null`,
    )

    this.addSql(`create table workflow_step (
  organisation_id uuid not null,
  workflow_id uuid not null,
  position int not null,
  kind text not null constraint workflow_step_kind
    check (kind in ('SEND_EMAIL', 'CALL_WEBHOOK', 'ASSIGN_ROLE', 'GRANT_PROJECT_ACCESS', 'WAIT')),
  subject text,
  body text,
  webhook_id uuid,
  project_id uuid,
  role_id uuid,
  role_level text constraint workflow_step_role_level check (role_level in ('ORGANISATION', 'PROJECT')),
  minutes int,
  primary key (workflow_id, position),
  constraint workflow_step_of foreign key (organisation_id, workflow_id) references workflow (organisation_id, id),
  constraint workflow_step_webhook foreign key (organisation_id, webhook_id) references webhook (organisation_id, id),
  constraint workflow_step_project foreign key (organisation_id, project_id) references project (organisation_id, id),
  constraint workflow_step_role foreign key (organisation_id, role_id, role_level)
    references role (organisation_id, id, level)
)`)
    for (const named of ['webhook', 'project', 'role'])
      this.addSql(
        `create index workflow_step_${named} on workflow_step (${named}_id) where ${named}_id is not null`,
      )

    this.addSql(`create table workflow_run (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null,
  workflow_id uuid not null,
  event uuid not null,
  principal_id uuid,
  status text not null
    constraint workflow_run_status check (status in ('RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  step int not null default 0,
  finished_at timestamptz,
  problem_code text,
  problem_reason text,
  problem_message text,
  constraint workflow_run_once unique (workflow_id, event),
  constraint workflow_run_of foreign key (organisation_id, workflow_id) references workflow (organisation_id, id),
  constraint workflow_run_about foreign key (organisation_id, principal_id)
    references principal (organisation_id, id)
)`)
    this.addSql(`create index workflow_run_in_order on workflow_run (workflow_id, id)`)
    this.addSql(
      `create index workflow_run_under_way on workflow_run (workflow_id) where status = 'RUNNING'`,
    )
    this.addSql(
      `create index workflow_run_finished on workflow_run (finished_at) where finished_at is not null`,
    )

    for (const table of ['workflow', 'workflow_step', 'workflow_run']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(`create policy ${table}_tenant on ${table} to gatehouse_tenant
  using (organisation_id = app_organisation()) with check (organisation_id = app_organisation())`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(`grant select, insert, update, delete on ${table} to gatehouse_system`)
    }
    this.addSql(`grant select, insert, update on workflow to gatehouse_tenant`)
    this.addSql(`grant select, insert, delete on workflow_step to gatehouse_tenant`)
    this.addSql(`grant select, update (status, finished_at) on workflow_run to gatehouse_tenant`)

    // an event may be posted again by the steps of workflows, each time as a delivery of its own
    this.addSql(`alter table webhook_delivery add column occasion text not null default ''`)
    this.addSql(`alter table webhook_delivery drop constraint webhook_delivery_once`)
    this.addSql(`alter table webhook_delivery
  add constraint webhook_delivery_once unique (webhook_id, event, occasion)`)

    // asked with every event, in contexts that see neither webhooks nor workflows
    this.addSql(`create function app_event_waits(place uuid, happened text) returns boolean
language plpgsql stable set role = 'gatehouse_system' as $$ begin
  return exists (select from webhook w where w.organisation_id = place and w.enabled
      and w.topics && array[happened, split_part(happened, '.', 1) || '.*'])
    or exists (select from workflow w where w.organisation_id = place and w.enabled and w.topic = happened);
end $$`)
    this.addSql('drop function app_webhook_waits')
  }

  override down() {
    this.addSql(`create function app_webhook_waits(place uuid, topic text) returns boolean
language plpgsql stable set role = 'gatehouse_system' as $$ begin
  return exists (select from webhook w where w.organisation_id = place and w.enabled
    and w.topics && array[topic, split_part(topic, '.', 1) || '.*']);
end $$`)
    this.addSql('drop function app_event_waits')
    this.addSql(`delete from webhook_delivery where occasion <> ''`)
    this.addSql(`alter table webhook_delivery drop constraint webhook_delivery_once`)
    this.addSql(`alter table webhook_delivery drop column occasion`)
    this.addSql(`alter table webhook_delivery
  add constraint webhook_delivery_once unique (webhook_id, event)`)
    this.addSql('drop table workflow_run')
    this.addSql('drop table workflow_step')
    this.addSql('drop table workflow')
  }
}
