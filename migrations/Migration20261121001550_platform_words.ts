import { Migration } from '@mikro-orm/migrations'
import { searchWords } from '../src/shared/normalise.ts'

const TABLES = { user_word: 'user_id', organisation_word: 'organisation_id' }
const BATCH = 1_000

const INDEXES = [
  // what few members are filtered by is found by it; what many are, on the way through the order of the list
  'principal_by_status on principal (organisation_id, kind, status, sort_name, id) where removed_at is null',
  'principal_by_second_factor on principal (organisation_id, kind, second_factor, sort_name, id) where removed_at is null',
  'principal_locked on principal (organisation_id, kind, sort_name, id) where locked_at is not null and removed_at is null',
  'principal_by_role on principal (role_id, sort_name, id) where removed_at is null',
  'project_access_in_project on project_access (project_id, id)',
  'invitation_in_state on invitation (organisation_id, outcome, id)',
  'invitation_waiting on invitation (organisation_id, expires_at) where closed_at is null',
  'invitation_by_email on invitation (organisation_id, email)',
  'invitation_by_created on invitation (organisation_id, created_at)',
  'api_key_by_use on api_key (organisation_id, last_used_at)',
  'api_key_by_end on api_key (organisation_id, expires_at) where expires_at is not null',
  'api_key_revoked on api_key (organisation_id, id) where revoked_at is not null',
  'api_key_pending on api_key (organisation_id, id) where prefix is null',
  'user_account_by_created on user_account (created_at) where deleted_at is null',
  'user_account_by_sign_in on user_account (last_sign_in_at) where deleted_at is null',
  'user_account_by_status on user_account (status) where deleted_at is null',
  'user_account_by_second_factor on user_account (second_factor) where deleted_at is null',
  'user_account_locked on user_account (id) where locked_at is not null and deleted_at is null',
  'organisation_suspended on organisation (id) where suspended_at is not null and deleted_at is null',
]

/** Words by which operators find accounts and organisations, and an index for each filter of a list. */
export class Migration20261121001550_platform_words extends Migration {
  override async up() {
    for (const [table, of] of Object.entries(TABLES)) {
      const noun = table === 'user_word' ? 'user_account' : 'organisation'
      this.addSql(`create table ${table} (
  word text collate "C" not null,
  ${of} uuid not null constraint ${table}_of references ${noun} on delete cascade,
  primary key (word, ${of})
)`)
      this.addSql(`create index ${table}_again on ${table} (${of}, word)`)
      this.addSql(`alter table ${table} enable row level security`)
      this.addSql(`alter table ${table} force row level security`)
      this.addSql(
        `create policy ${table}_operator_select on ${table} for select to gatehouse_operator using (true)`,
      )
      this.addSql(
        `create policy ${table}_system on ${table} to gatehouse_system using (true) with check (true)`,
      )
      this.addSql(`grant select on ${table} to gatehouse_operator`)
      this.addSql(`grant select, insert, delete on ${table} to gatehouse_system`)
    }
    await this.#writeWords(
      'user_word (user_id, word)',
      'id, email, first_name, last_name from user_account',
    )
    await this.#writeWords(
      'organisation_word (organisation_id, word)',
      'id, name, slug from organisation',
    )

    this.addSql('drop index principal_by_role')
    for (const index of INDEXES) this.addSql(`create index ${index}`)
    // a page of a search is read from one index of the words: it has all that it is sorted and compared by
    this.addSql(
      `alter table member_word add column sort_name text collate "C", add column words text`,
    )
    for (const table of ['principal', 'member_word'])
      this.addSql(`alter table ${table} no force row level security`)
    this.addSql(
      `update principal set sort_name = left(sort_name, 200) where length(sort_name) > 200`,
    )
    this.addSql(
      `update member_word w set sort_name = m.sort_name from principal m where m.id = w.principal_id`,
    )
    for (const table of ['principal', 'member_word'])
      this.addSql(`alter table ${table} force row level security`)
    this.addSql(`alter table member_word alter column sort_name set not null`)
    this.addSql('drop index member_word_principal')
    this.addSql(`alter table member_word drop constraint member_word_pkey,
  add primary key (principal_id, word, organisation_id)`)
    this.addSql(`create index member_word_by_name
  on member_word (organisation_id, word, sort_name, principal_id, words)`)
  }

  /** Words are folded by the application, which alone knows how; the owner sees rows as the system alone. */
  async #writeWords(into: string, from: string) {
    await this.execute('set local role gatehouse_system')
    const rows: Record<string, string>[] = await this.execute(
      `select ${from} where deleted_at is null`,
    )
    await this.execute('reset role')
    if (!rows.length) return
    const words = rows.flatMap(({ id, ...texts }) =>
      searchWords(...Object.values(texts)).map(word => ({ id, word })),
    )
    this.addSql('set local role gatehouse_system')
    for (let start = 0; start < words.length; start += BATCH) {
      const batch = JSON.stringify(words.slice(start, start + BATCH)).replaceAll("'", "''")
      this.addSql(`insert into ${into} select id, word
  from jsonb_to_recordset('${batch}'::jsonb) as w (id uuid, word text)`)
    }
    this.addSql('reset role')
  }

  override down() {
    this.addSql('drop index member_word_by_name')
    this.addSql(`alter table member_word drop constraint member_word_pkey,
  add primary key (organisation_id, word, principal_id), drop column words, drop column sort_name`)
    this.addSql('create index member_word_principal on member_word (principal_id)')
    for (const index of INDEXES) this.addSql(`drop index ${index.split(' ')[0]}`)
    this.addSql(`create index principal_by_role on principal (role_id) where removed_at is null`)
    for (const table of Object.keys(TABLES)) this.addSql(`drop table ${table}`)
  }
}
