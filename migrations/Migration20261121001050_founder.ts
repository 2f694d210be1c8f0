import { Migration } from '@mikro-orm/migrations'

/** Who founded an organisation for somebody is kept by itself: whoever sends the link again becomes the inviter. */
export class Migration20261121001050_founder extends Migration {
  override up() {
    this.addSql(`alter table invitation add column founder_id uuid,
  add constraint invitation_founder foreign key (organisation_id, founder_id) references principal (organisation_id, id)`)
    this.addSql(`update invitation set founder_id = inviter_id where hands_over`)
    this.addSql(`alter table invitation drop column hands_over`)
  }

  override down() {
    this.addSql(`alter table invitation add column hands_over boolean not null default false`)
    this.addSql(`update invitation set hands_over = true where founder_id is not null`)
    this.addSql(`alter table invitation drop column founder_id`)
    this.addSql(`grant select (hands_over) on invitation to gatehouse_self, gatehouse_tenant`)
  }
}
