import { Migration } from '@mikro-orm/migrations'

const FUNCTION = `language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC'`
/** The shortest time that settings allow (`AUDIT_RETENTION_DAYS`), by the clock of the database. Without a moment everything would go. */
const MIND_THE_SHORTEST = `
  if before is null or before > now() - interval '24 hours' then
    raise exception 'events are kept for a day at least' using errcode = 'check_violation';
  end if;`

/** Whatever asks for it, the server itself among them: no event is dropped that is younger than any setting allows. */
export class Migration20261121001900_kept_events extends Migration {
  override up() {
    this.dropping(MIND_THE_SHORTEST)
  }

  override down() {
    this.dropping('')
  }

  /** What is older than a moment goes, where it was sealed. */
  private dropping(first: string) {
    this
      .addSql(`create or replace function app_drop_event_months(before timestamptz) returns int ${FUNCTION} as $$
declare
  part text;
  low uuid;
  high uuid;
  dropped int := 0;
begin${first}
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
      .addSql(`create or replace function app_drop_events(before timestamptz, most int) returns int ${FUNCTION} as $$
declare
  edge uuid := app_id_at(before);
  old uuid[] := array(select e.id from event e where e.id < edge
    and not exists (select from event_unsealed u where u.event_id = e.id) order by e.id limit most);
begin${first}
  delete from event_person where id = any(old) and id < edge;
  delete from event where id = any(old) and id < edge;
  perform app_note_retention(edge);
  return cardinality(old);
end $$`)
  }
}
