import { Migration } from '@mikro-orm/migrations'

const HERE = 'organisation_id = app_organisation()'
const SEEN = `${HERE} and (kind = 'SERVICE_ACCOUNT' or (select app_visibility()) = 'ORGANISATION'
  or principal_id in (select app_visible_principals()))`

/** Rounds of asking who still needs what they have: snapshots, and what was decided about each access. */
export class Migration20261121001800_access_review extends Migration {
  override up() {
    this.addSql(`create table access_review (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null constraint access_review_organisation_id references organisation,
  name text not null,
  status text not null constraint access_review_status check (status in ('OPEN', 'COMPLETED', 'CANCELLED')),
  due_at timestamptz not null,
  started_by_id uuid,
  completed_at timestamptz,
  constraint access_review_in_organisation unique (organisation_id, id),
  constraint access_review_started_by foreign key (organisation_id, started_by_id)
    references principal (organisation_id, id),
  constraint access_review_completed check ((status = 'COMPLETED') = (completed_at is not null))
)`)

    this.addSql(`create table access_review_item (
  id uuid primary key,
  created_at timestamptz not null,
  organisation_id uuid not null,
  review_id uuid not null,
  principal_id uuid not null,
  kind text not null constraint access_review_item_kind check (kind in ('MEMBER', 'SERVICE_ACCOUNT')),
  role_id uuid not null,
  role_level text not null,
  project_id uuid,
  access uuid,
  flags text[] not null,
  decision text constraint access_review_item_decision check (decision in ('KEEP', 'REMOVE')),
  decided_by_id uuid,
  decided_at timestamptz,
  note text,
  constraint access_review_item_review foreign key (organisation_id, review_id)
    references access_review (organisation_id, id),
  constraint access_review_item_principal foreign key (organisation_id, principal_id)
    references principal (organisation_id, id),
  constraint access_review_item_role foreign key (organisation_id, role_id, role_level)
    references role (organisation_id, id, level),
  constraint access_review_item_project foreign key (organisation_id, project_id)
    references project (organisation_id, id),
  constraint access_review_item_decided_by foreign key (organisation_id, decided_by_id)
    references principal (organisation_id, id),
  constraint access_review_item_decided check ((decision is null) = (decided_at is null)),
  constraint access_review_item_level check
    ((role_level = 'PROJECT') = (project_id is not null) and (project_id is null) = (access is null))
)`)
    this.addSql(`create index access_review_item_of on access_review_item (review_id, id)`)
    this.addSql(`create index access_review_item_undecided on access_review_item (review_id, id)
  where decision is null`)

    for (const table of ['access_review', 'access_review_item']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(`grant select, insert, update, delete on ${table} to gatehouse_system`)
    }
    this.addSql(`create policy access_review_tenant on access_review to gatehouse_tenant
  using (${HERE}) with check (${HERE})`)
    const item = 'access_review_item'
    this.addSql(
      `create policy ${item}_tenant_select on ${item} for select to gatehouse_tenant using (${SEEN})`,
    )
    this.addSql(
      `create policy ${item}_tenant_insert on ${item} for insert to gatehouse_tenant with check (${HERE})`,
    )
    this.addSql(`create policy ${item}_tenant_update on ${item} for update to gatehouse_tenant
  using (${SEEN}) with check (${HERE})`)
    this.addSql(
      `create policy ${item}_tenant_delete on ${item} for delete to gatehouse_tenant using (${SEEN})`,
    )
    this.addSql(
      `grant select, insert, update (status, completed_at) on access_review to gatehouse_tenant`,
    )
    this.addSql(`grant select, insert, update (decision, decided_by_id, decided_at, note)
  on access_review_item to gatehouse_tenant`)
  }

  override down() {
    this.addSql('drop table access_review_item')
    this.addSql('drop table access_review')
  }
}
