import { Migration } from '@mikro-orm/migrations'

/** Requests that came with an `Idempotency-Key`, and what their effects came to. */
export class Migration20261121001060_idempotency extends Migration {
  override up() {
    this.addSql(`create table idempotency (
  key text primary key,
  request_digest text not null,
  created_at timestamptz not null
)`)
    this.addSql(`create index idempotency_created on idempotency (created_at)`)
    this.addSql(`create table idempotency_step (
  key text not null constraint idempotency_step_of references idempotency on delete cascade,
  step text not null,
  sealed_result text,
  primary key (key, step)
)`)
    for (const table of ['idempotency', 'idempotency_step']) {
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(`grant select, insert, update, delete on ${table} to gatehouse_system`)
    }
  }

  override down() {
    this.addSql('drop table idempotency_step')
    this.addSql('drop table idempotency')
  }
}
