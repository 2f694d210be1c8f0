import { operator, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { freePort, until } from '../support/waiting.ts'
import { PostOffice } from './post-office.ts'

/** A server with a mail server of its own, which is closed at first. */
export class Branch {
  readonly office: PostOffice
  readonly server: TestServer
  admin: Person

  constructor(office: PostOffice, server: TestServer, admin: Person) {
    this.office = office
    this.server = server
    this.admin = admin
  }

  static async start(): Promise<Branch> {
    const office = new PostOffice(await freePort())
    const settings = { SMTP_URL: office.url, MAIL_FROM: 'Gatehouse <post@gatehouse.test>' }
    const server = await startServer({ settings })
    return new Branch(office, server, await operator(server))
  }

  async stop(): Promise<void> {
    await this.server.stop()
    await this.office.close()
  }

  /** Adds somebody, who is then mailed. */
  invite(email: string, names: { firstName?: string; lastName?: string } = {}, url?: string) {
    return this.admin.ask(
      `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } } }`,
      { input: { email, firstName: 'Ann', lastName: 'Lee', ...names } },
      url,
    )
  }

  /** Mails that are still to be delivered, and how often that was tried before. */
  async waiting() {
    const rows = await this.server.database.owner(
      `select state::text, (name <> 'mail')::int + retry_count + (state = 'retry')::int as tries
       from pgboss.job where name like 'mail%' and state < 'completed'`,
    )
    return rows as { state: string; tries: number }[]
  }

  /** Waits until no mail is on its way any more. */
  settled(): Promise<void> {
    return until(async () => (await this.waiting()).length === 0)
  }

  /** Waits until every waiting mail was tried so often, without success. */
  tried(tries: number, patienceMs?: number): Promise<void> {
    return until(
      async () => (await this.waiting()).every(job => job.state !== 'active' && job.tries >= tries),
      patienceMs,
    )
  }
}
