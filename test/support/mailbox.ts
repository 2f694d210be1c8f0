import type { KeptMail } from '../../src/outbox/mail/mailbox.ts'
import type { TestServer } from './server.ts'

const PATIENCE_MS = 15_000

/** Waits until `count` mails for an address have been delivered; the newest comes first. */
export async function mailsTo(server: TestServer, address: string, count = 1): Promise<KeptMail[]> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const mails = mailsFor(server, address)
    if (mails.length >= count) return mails
    if (Date.now() > end)
      throw new Error(`${mails.length} of ${count} mails arrived for ${address}`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

/** Mails for an address so far, once the queue has had time to deliver what was written. */
export async function mailsSoFar(server: TestServer, address: string): Promise<KeptMail[]> {
  await settle(server)
  return mailsFor(server, address)
}

const mailsFor = ({ nodes }: TestServer, address: string): KeptMail[] =>
  nodes
    .flatMap(node => node.app.mailbox?.list() ?? [])
    .filter(mail => mail.to.address === address)
    .toSorted((a, b) => b.receivedAt.getTime() - a.receivedAt.getTime())

async function settle(server: TestServer): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const [row] = await server.app.node.database.store.system.rows<{ open: number }>({
      text: `select count(*)::int as open from pgboss.job where name like 'mail%' and state < 'completed'`,
      values: [],
    })
    if (!row?.open || Date.now() > end) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** The link in a mail. */
export function linkIn(mail: KeptMail): string {
  const link = /https?:\/\/\S+/.exec(mail.text)?.[0]
  if (!link) throw new Error(`no link in: ${mail.text}`)
  return link
}

export const tokenIn = (link: string): string => new URL(link).searchParams.get('token') ?? ''
