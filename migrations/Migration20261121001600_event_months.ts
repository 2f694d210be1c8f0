import { Migration } from '@mikro-orm/migrations'

const LOOKED_FOR_BY = ['topic', 'actor_id', 'target_id']
/** Changes that are personal, as `src/outbox/events/person.ts` has it. */
const PERSONAL = `coalesce(target_kind, 'User') in ('User', 'Member', 'Invitation')
  and c->>'field' in ('email', 'externalId', 'firstName', 'lastName', 'login', 'name', 'phoneNumber')`
/** The hash of a list of texts, as JSON.stringify writes it. */
const commitment = (texts: string) => `encode(sha256(convert_to('[' || array_to_string(array(
  select coalesce(to_json(x)::text, 'null') from unnest(${texts}) with ordinality as t (x, n) order by n), ',') || ']',
  'UTF8')), 'hex')`
const SALT = `replace(gen_random_uuid()::text, '-', '')`

const FUNCTION = `language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC'`

/**
 * Events by month of their ids, whose first 48 bits are the time (UUIDv7, RFC 9562), so that the id stays the whole key
 * and finds its event in one partition. What tells of people stands beside the event, which only commits to it.
 */
export class Migration20261121001600_event_months extends Migration {
  override up() {
    this.addSql('alter table event no force row level security')
    this.addSql('create temp table event_before on commit drop as select * from event')
    this.addSql('drop table event')
    // requests reach the partitions through their parents alone
    this.addSql('create schema trail')
    this.tables()
    this.indexes()
    this.addSql('create table trail.event_rest partition of event default')
    this.addSql('create table trail.event_person_rest partition of event_person default')
    this.rights()
    this.months()
    this.addSql(`select app_make_event_months(coalesce((
  select to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) from event_before
  where id between app_id_at('2020-01-01') and app_id_at(now()) order by id limit 1), now()), now() + interval '3 months')`)
    this.fill()
  }

  private tables() {
    this.addSql(`create table event (
  id uuid constraint event_pkey primary key,
  organisation_id uuid,
  topic text not null,
  occurred_at timestamptz not null,
  outcome text not null constraint event_outcome check (outcome in ('SUCCEEDED', 'DENIED')),
  actor_kind text not null constraint event_actor_kind
    check (actor_kind in ('MEMBER', 'SERVICE_ACCOUNT', 'OPERATOR', 'ANONYMOUS', 'SYSTEM')),
  actor_id uuid,
  actor_user_id uuid,
  api_key_id uuid,
  target_kind text,
  target_id uuid,
  changes jsonb not null,
  refusal text,
  request_id text,
  actor_commitment text not null,
  target_commitment text
) partition by range (id)`)
    this.addSql(`create table event_person (
  id uuid constraint event_person_pkey primary key,
  organisation_id uuid,
  actor_user_id uuid,
  actor_salt text,
  actor_name text,
  ip_address text,
  user_agent text,
  target_salt text,
  target_name text,
  changes jsonb,
  reason text,
  constraint event_person_actor
    check (actor_salt is not null or num_nonnulls(actor_name, ip_address, user_agent) = 0),
  constraint event_person_target
    check (target_salt is not null or num_nonnulls(target_name, changes, reason) = 0)
) partition by range (id)`)
  }

  private indexes() {
    this.addSql('create index event_in_organisation on event (organisation_id, id)')
    for (const column of LOOKED_FOR_BY) {
      this.addSql(
        `create index event_in_organisation_by_${column} on event (organisation_id, ${column}, id)`,
      )
      this.addSql(`create index event_by_${column} on event (${column}, id)`)
    }
  }

  private rights() {
    for (const table of ['event', 'event_person', 'trail.event_rest', 'trail.event_person_rest']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
    }
    for (const table of ['event', 'event_person']) this.appendOnly(table)
    this.addSql(
      'grant select, insert on event to gatehouse_tenant, gatehouse_operator, gatehouse_system',
    )
    this
      .addSql(`grant select (id, organisation_id, actor_user_id, actor_name, ip_address, user_agent, target_name,
  changes, reason), insert on event_person to gatehouse_tenant, gatehouse_operator`)
    this.addSql('grant select, insert on event_person to gatehouse_system')
    this.addSql('grant insert on event, event_person to gatehouse_self')
    // for the owner, who is a member of that role: the role itself has no right to
    for (const [table, command] of [
      ['event', 'delete'],
      ['event_person', 'delete'],
      ['event_person', 'update'],
    ] as const)
      this.addSql(
        `create policy ${table}_system_${command} on ${table} for ${command} to gatehouse_system using (true)`,
      )
  }

  private appendOnly(table: string) {
    this.addSql(`create policy ${table}_tenant_select on ${table} for select to gatehouse_tenant
  using (organisation_id = app_organisation())`)
    this.addSql(`create policy ${table}_tenant_insert on ${table} for insert to gatehouse_tenant
  with check (organisation_id = app_organisation())`)
    this.addSql(`create policy ${table}_self_insert on ${table} for insert to gatehouse_self
  with check (actor_user_id = app_user())`)
    for (const role of ['operator', 'system']) {
      this.addSql(
        `create policy ${table}_${role}_select on ${table} for select to gatehouse_${role} using (true)`,
      )
      this.addSql(
        `create policy ${table}_${role}_insert on ${table} for insert to gatehouse_${role} with check (true)`,
      )
    }
  }

  /** Roles of requests own nothing, so the owner makes the months for them. */
  private months() {
    this.addSql(`create function app_id_at(moment timestamptz) returns uuid language sql immutable
as $$ select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$`)
    this
      .addSql(`create function app_make_event_months(since timestamptz, until timestamptz) returns int ${FUNCTION} as $$
declare
  month timestamptz := date_trunc('month', since);
  made int := 0;
  kind text;
  part text;
  low uuid;
  high uuid;
begin
  while month <= until loop
    low := app_id_at(month);
    high := app_id_at(month + interval '1 month');
    foreach kind in array array['event', 'event_person'] loop
      part := kind || to_char(month, '_YYYY_MM');
      continue when to_regclass('trail.' || part) is not null;
      execute format('create table trail.%I (like %I including all)', part, kind);
      -- what came before there was a month for it stands with the rest
      execute format('lock table trail.%I in access exclusive mode', kind || '_rest');
      execute format('with moved as (delete from %I where id >= %L and id < %L returning *)
        insert into trail.%I select * from moved', kind, low, high, part);
      execute format('alter table trail.%I enable row level security', part);
      execute format('alter table trail.%I force row level security', part);
      execute format('alter table %I attach partition trail.%I for values from (%L) to (%L)', kind, part, low, high);
      made := made + 1;
    end loop;
    month := month + interval '1 month';
  end loop;
  return made;
end $$`)
    this.addSql(
      'revoke all on function app_make_event_months(timestamptz, timestamptz) from public',
    )
    this.addSql(
      'grant execute on function app_make_event_months(timestamptz, timestamptz) to gatehouse_system',
    )
  }

  private fill() {
    this.addSql(`create temp table person_before on commit drop as
select id, organisation_id, actor_user_id, ${SALT} as actor_salt, actor_name, ip_address, user_agent,
  case when num_nonnulls(target_name, reason, personal) > 0 then ${SALT} end as target_salt, target_name, personal, reason
from event_before cross join lateral (
  select jsonb_agg(c order by n) as personal from jsonb_array_elements(changes) with ordinality as t (c, n)
  where ${PERSONAL}) as p`)
    this.addSql(`insert into event_person
select id, organisation_id, actor_user_id, actor_salt, actor_name, ip_address, user_agent, target_salt, target_name,
  personal, reason from person_before`)
    this.addSql(`insert into event
select e.id, e.organisation_id, e.topic, e.occurred_at, e.outcome, e.actor_kind, e.actor_id, e.actor_user_id,
  e.api_key_id, e.target_kind, e.target_id,
  (select coalesce(jsonb_agg(case when ${PERSONAL} then jsonb_build_object('field', c->>'field', 'personal', true)
    else c end order by n), '[]') from jsonb_array_elements(e.changes) with ordinality as t (c, n)),
  null, e.request_id, ${commitment('array[p.actor_salt, p.actor_name, p.ip_address, p.user_agent]')},
  case when p.target_salt is not null then ${commitment(`array[p.target_salt, p.target_name, p.reason] || array(
    select v from jsonb_array_elements(p.personal) with ordinality as t (c, n)
    cross join lateral unnest(array[c->>'field', c->>'before', c->>'after']) with ordinality as f (v, m)
    order by n, m)`)} end
from event_before e join person_before p on p.id = e.id`)
  }

  override down() {
    for (const table of ['event', 'event_person'])
      this.addSql(`alter table ${table} no force row level security`)
    this.addSql(`create temp table event_after on commit drop as
select e.id, e.organisation_id, e.topic, e.occurred_at, e.outcome, e.actor_kind, e.actor_id, e.actor_user_id,
  e.api_key_id, coalesce(p.actor_name, 'Deleted user') as actor_name, e.target_kind, e.target_id, p.target_name,
  (select coalesce(jsonb_agg(coalesce((select o from jsonb_array_elements(p.changes) as o
    where c ? 'personal' and o->>'field' = c->>'field' limit 1), c) order by n), '[]')
    from jsonb_array_elements(e.changes) with ordinality as t (c, n)) as changes,
  coalesce(p.reason, e.refusal) as reason, p.ip_address, p.user_agent, e.request_id
from event e left join event_person p on p.id = e.id`)
    this.addSql('drop function app_make_event_months')
    this.addSql('drop function app_id_at')
    this.addSql('drop table event_person')
    this.addSql('drop table event')
    this.addSql('drop schema trail')
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
  api_key_id uuid,
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
    this.addSql('insert into event select * from event_after')
    this.indexes()
    this.addSql('alter table event enable row level security')
    this.addSql('alter table event force row level security')
    this.appendOnly('event')
    this.addSql(
      'grant select, insert on event to gatehouse_tenant, gatehouse_operator, gatehouse_system',
    )
    this.addSql('grant insert on event to gatehouse_self')
  }
}
