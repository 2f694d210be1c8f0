import { Migration } from '@mikro-orm/migrations'

/** Finds the notes about somebody whose account is deleted, among all that was ever reviewed. */
export class Migration20261121001820_review_notes extends Migration {
  override up() {
    this.addSql(`create index access_review_item_noted on access_review_item (principal_id)
  where note is not null`)
  }

  override down() {
    this.addSql('drop index access_review_item_noted')
  }
}
