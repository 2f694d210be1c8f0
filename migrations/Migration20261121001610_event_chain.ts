import { Migration } from '@mikro-orm/migrations'

const FUNCTION = `language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC'`
/** The chain of what happened in no organisation. */
const PLATFORM = `'00000000-0000-0000-0000-000000000000'`
const FUNCTIONS = [
  'app_drop_event_months(timestamptz)',
  'app_drop_events(timestamptz, int)',
  'app_drop_seals(uuid)',
  'app_erase_from_events(uuid, int)',
]

/**
 * Seals, which chain the events of each organisation in batches; and what the owner alone may do to events: drop them
 * when their time is over, and erase what tells of a deleted account.
 */
export class Migration20261121001610_event_chain extends Migration {
  override up() {
    this.addSql(`create table event_unsealed (
  event_id uuid constraint event_unsealed_pkey primary key,
  chain uuid not null
)`)
    this.addSql('create index event_unsealed_in_chain on event_unsealed (chain, event_id)')
    this.addSql(`create table event_chain (
  chain uuid constraint event_chain_pkey primary key,
  number int not null,
  digest text not null,
  checkpoint_number int not null default 0,
  checkpoint_digest text not null default '',
  kept_since uuid
)`)
    this.addSql(`create table event_seal (
  chain uuid not null,
  number int not null,
  sealed_at timestamptz not null,
  events uuid[] not null,
  leaves text[] not null,
  newest uuid not null,
  digest text not null,
  constraint event_seal_pkey primary key (chain, number),
  constraint event_seal_whole check (cardinality(events) = cardinality(leaves) and cardinality(events) > 0)
)`)
    this.addSql('create index event_seal_by_newest on event_seal (newest)')
    this.addSql(
      `insert into event_unsealed select id, coalesce(organisation_id, ${PLATFORM}) from event`,
    )
    this.rights()
    this.retention()
    this.erasure()
    for (const signature of FUNCTIONS) {
      this.addSql(`revoke all on function ${signature} from public`)
      this.addSql(`grant execute on function ${signature} to gatehouse_system`)
    }
  }

  private rights() {
    for (const table of ['event_unsealed', 'event_chain', 'event_seal']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
    }
    this
      .addSql(`create policy event_unsealed_tenant_insert on event_unsealed for insert to gatehouse_tenant
  with check (chain = app_organisation())`)
    for (const role of ['self', 'operator'])
      this.addSql(
        `create policy event_unsealed_${role}_insert on event_unsealed for insert to gatehouse_${role} with check (true)`,
      )
    this.addSql(
      'grant insert on event_unsealed to gatehouse_tenant, gatehouse_self, gatehouse_operator',
    )
    this.addSql('grant select, insert, delete on event_unsealed to gatehouse_system')
    this
      .addSql(`grant select, insert (chain, number, digest), update (number, digest) on event_chain
  to gatehouse_system`)
    // append-only, as the events
    this.addSql('grant select, insert on event_seal to gatehouse_system')
  }

  /** What is older than a moment goes, where it was sealed; the chain goes on from a checkpoint. */
  private retention() {
    this.addSql(`create function app_note_retention(edge uuid) returns void ${FUNCTION} as $$
begin
  insert into event_chain as c (chain, number, digest, kept_since) values (${PLATFORM}, 0, '', edge)
  on conflict (chain) do update set kept_since = excluded.kept_since
    where c.kept_since is null or c.kept_since < excluded.kept_since;
end $$`)
    this.addSql('revoke all on function app_note_retention(uuid) from public')
    this
      .addSql(`create function app_drop_event_months(before timestamptz) returns int ${FUNCTION} as $$
declare
  part text;
  low uuid;
  high uuid;
  dropped int := 0;
begin
  for part in select relname from pg_class where relnamespace = 'trail'::regnamespace
    and relname ~ '^event_[0-9]{4}_[0-9]{2}$' order by 1
  loop
    low := app_id_at(to_timestamp(right(part, 7), 'YYYY_MM'));
    high := app_id_at(to_timestamp(right(part, 7), 'YYYY_MM') + interval '1 month');
    exit when high > app_id_at(before);
    lock table event, event_person in access exclusive mode;
    continue when exists (select from event_unsealed where event_id >= low and event_id < high);
    execute format('drop table trail.%I, trail.%I', part, 'event_person_' || right(part, 7));
    dropped := dropped + 1;
  end loop;
  perform app_note_retention(app_id_at(before));
  return dropped;
end $$`)
    this
      .addSql(`create function app_drop_events(before timestamptz, most int) returns int ${FUNCTION} as $$
declare
  edge uuid := app_id_at(before);
  old uuid[] := array(select e.id from event e where e.id < edge
    and not exists (select from event_unsealed u where u.event_id = e.id) order by e.id limit most);
begin
  delete from event_person where id = any(old) and id < edge;
  delete from event where id = any(old) and id < edge;
  perform app_note_retention(edge);
  return cardinality(old);
end $$`)
    // the newest seal stays, so that a chain never ends in nothing
    this.addSql(`create function app_drop_seals(place uuid) returns int ${FUNCTION} as $$
declare
  head int := (select number from event_chain where chain = place for update);
  edge uuid := (select kept_since from event_chain where chain = ${PLATFORM});
  kept int := least((select min(number) from event_seal where chain = place and newest >= edge), head);
  gone int;
begin
  if edge is null then return 0; end if;
  update event_chain c set checkpoint_number = s.number, checkpoint_digest = s.digest
    from event_seal s where c.chain = place and s.chain = place and s.number = kept - 1
      and s.number > c.checkpoint_number;
  delete from event_seal s using event_chain c
    where c.chain = place and s.chain = place and s.number <= c.checkpoint_number;
  get diagnostics gone = row_count;
  return gone;
end $$`)
  }

  /** The names of nobody but whoever is deleted can be erased, and nothing can be put in their place. */
  private erasure() {
    this
      .addSql(`create function app_erase_from_events(person uuid, most int) returns int ${FUNCTION} as $$
declare
  selves uuid[] := person || array(select id from principal where user_id = person);
  things uuid[] := selves || array(select id from invitation where principal_id = any(selves))
    || array(select id from api_key where owner_id = any(selves));
  acts uuid[];
  told uuid[];
begin
  if not exists (select from user_account where id = person and deleted_at is not null) then
    return 0;
  end if;
  -- asked for each event by itself: a join may read all that was ever told
  acts := array(select e.id from event e where e.actor_id = any(selves)
    and (select p.actor_salt is not null from event_person p where p.id = e.id) limit most);
  told := array(select e.id from event e where e.target_id = any(things)
    and (select p.target_salt is not null from event_person p where p.id = e.id) limit most)
    -- what they did to things of their own, such as a second factor that is long gone
    || array(select e.id from event e where e.actor_id = any(selves)
      and e.target_kind in ('User', 'Session', 'MfaFactor') and e.actor_kind = 'MEMBER' and e.organisation_id is null
      and (select p.target_salt is not null from event_person p where p.id = e.id) limit most);
  update event_person set actor_salt = null, actor_name = null, ip_address = null, user_agent = null
    where id = any(acts);
  update event_person set target_salt = null, target_name = null, changes = null, reason = null
    where id = any(told);
  return cardinality(acts) + cardinality(told);
end $$`)
  }

  override down() {
    for (const signature of [...FUNCTIONS, 'app_note_retention(uuid)'])
      this.addSql(`drop function ${signature}`)
    for (const table of ['event_seal', 'event_chain', 'event_unsealed'])
      this.addSql(`drop table ${table}`)
  }
}
