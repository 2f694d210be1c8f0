import { PgBoss, type Queue } from 'pg-boss'
import type { Owner } from '../database/migrate.ts'

/** Where pg-boss keeps its tables. */
export const SCHEMA = 'pgboss'

/** Every queue, with what differs from `LASTING`. */
const QUEUES = {
  mail: {},
  // looked up after the answer, so that the answer can tell nothing of the address
  'mail-request': { retryLimit: 1_000, deleteAfterSeconds: 3_600 },
  'webhook-event': {},
  // removed from where they are stored
  'unwanted-image': {},
  // what the trail tells of people who are gone
  'event-erasure': {},
  // how long in all is the courier's to say; up to four hours apart
  'webhook-delivery': { retryDelay: 5, retryDelayMax: 14_400 },
  // a step that is due is not forgotten while no server runs
  'workflow-step': { retentionSeconds: 31_536_000 },
} as const
export type QueueName = keyof typeof QUEUES

/** What is done at set times (cron, UTC), by one node at a time. */
const CHORES = {
  purge: '17 * * * *',
  'rotate-keys': '47 * * * *',
  'seal-events': '* * * * *',
  'keep-events': '7 * * * *',
  digests: '*/15 * * * *',
} as const
export type ChoreName = keyof typeof CHORES

/**
 * What has failed once goes on in a queue of its own, with workers of its own: so nothing that hangs or is refused
 * again and again holds up what is new.
 */
export const again = (queue: QueueName): string => `${queue}-again`

/** How often and how far apart a job is tried; delays in seconds. */
export const LASTING = {
  // about five days (RFC 5321, section 4.5.4.1), and never so far apart that what waited for the end of an outage
  // comes more than a minute after it
  retryLimit: 20_000,
  retryDelay: 2,
  retryBackoff: true,
  retryDelayMax: 30,
  // what a node took and never finished, because it was killed, is taken up again after this
  expireInSeconds: 30,
  deleteAfterSeconds: 86_400,
}

export const CHORE = {
  retryLimit: 3,
  retryDelay: 60,
  retryBackoff: true,
  expireInSeconds: 900,
  deleteAfterSeconds: 86_400,
}

/** Makes the queues' tables, as their owner, and lets *system* work them. */
export async function prepareJobs(owner: Owner): Promise<void> {
  const boss = new PgBoss({
    db: { executeSql: async (text, values) => owner.execute(text, values) },
    schema: SCHEMA,
    ...(owner.embedded && { backend: 'pglite' }),
    supervise: false,
    schedule: false,
  })
  boss.on('error', () => undefined)
  await boss.start()
  const prepare = async (name: string, options: Omit<Queue, 'name'>, policy?: 'exclusive') => {
    await boss.createQueue(name, { ...options, ...(policy && { policy }) })
    await boss.updateQueue(name, options)
  }
  for (const [queue, options] of Object.entries(QUEUES)) {
    await prepare(queue, { ...LASTING, ...options })
    await prepare(again(queue as QueueName), { ...LASTING, ...options })
  }
  for (const [chore, cron] of Object.entries(CHORES)) {
    await prepare(chore, CHORE, 'exclusive')
    await boss.schedule(chore, cron)
  }
  await boss.stop({ graceful: false })
  const system = 'gatehouse_system'
  await owner.execute(`grant usage on schema ${SCHEMA} to ${system}`)
  await owner.execute(
    `grant select, insert, update, delete on all tables in schema ${SCHEMA} to ${system}`,
  )
  await owner.execute(`grant usage on all sequences in schema ${SCHEMA} to ${system}`)
}
