import { enterContext, SYSTEM } from './database/context.ts'
import { explain } from './database/failures.ts'
import { openDatabase } from './database/orm.ts'
import { entities } from './entities.ts'
import { verifyTrail, type Break } from './operations/audit/verify.ts'
import { PLATFORM } from './outbox/events/event.service.ts'
import { readConfig } from './shared/config.ts'
import { momentOf } from './shared/tokens.ts'
import { holdData } from './sole-use.ts'

/**
 * `npm run audit:verify`: computes the chains of events anew and names where they are broken, with an exit status that
 * is not 0. With `-- --heads`, it prints number and digest of the newest seal of each, to be compared with the log.
 */
async function main(): Promise<void> {
  const config = readConfig(process.env)
  await holdData(config)
  const { DATABASE_URL: url, DATA_DIR: dataDir, DATABASE_POOL: pool } = config
  const database = await openDatabase({ url, dataDir, pool, entities }, () => undefined)
  const snapshot = await database.store.begin(
    `set transaction isolation level repeatable read, read only; set local statement_timeout = 0; ${enterContext(SYSTEM)}`,
  )
  const { breaks, seals, events, unsealed, erased, keptSince, heads } = await verifyTrail(snapshot)
  await snapshot.rollBack()
  await database.close()
  if (process.argv.includes('--heads'))
    for (const { chain, number, digest } of heads)
      console.log(`${nameOf(chain)}: ${number} ${digest}`)
  console.log(
    [
      `${seals} seals with ${events} events, and ${unsealed} events that are not sealed yet.`,
      ...(erased ? [`${erased} halves of events tell of nobody any more.`] : []),
      ...(keptSince
        ? [`What is older than ${momentOf(keptSince).toISOString()} may have been dropped.`]
        : []),
    ].join('\n'),
  )
  if (breaks.length) return fail(breaks.map(say).join('\n'))
  console.log('The trail is whole.')
}

const nameOf = (chain: string) => (chain === PLATFORM ? 'The platform' : `Organisation ${chain}`)

const say = ({ chain, seal, event, what }: Break): string =>
  [
    `BROKEN: ${nameOf(chain)}`,
    ...(seal === null ? [] : [`seal ${seal}`]),
    ...(event === null ? [] : [`event ${event}`]),
  ].join(', ') + `: ${what}.`

function fail(words: unknown): void {
  console.error(words)
  process.exitCode = 1
}

main()
  .catch(error => fail(explain(error)))
  // PGlite would keep the process
  .finally(() => process.exit())
