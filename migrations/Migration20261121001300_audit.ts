import { Migration } from '@mikro-orm/migrations'

/** Indexes that keep the reading of events flat, one for each thing that they are asked for by. */
export class Migration20261121001300_audit extends Migration {
  override up() {
    for (const column of ['topic', 'actor_id', 'target_id']) {
      this.addSql(
        `create index event_in_organisation_by_${column} on event (organisation_id, ${column}, id)`,
      )
      this.addSql(`create index event_by_${column} on event (${column}, id)`)
    }
  }

  override down() {
    for (const column of ['topic', 'actor_id', 'target_id']) {
      this.addSql(`drop index event_by_${column}`)
      this.addSql(`drop index event_in_organisation_by_${column}`)
    }
  }
}
