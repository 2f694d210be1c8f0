import { replaceLeakedKeys, rotateKeys } from './credentials/signing-keys/rotation.ts'
import { explain } from './database/failures.ts'
import { openDatabase } from './database/orm.ts'
import { entities } from './entities.ts'
import { readConfig } from './shared/config.ts'
import { KeyRing } from './shared/seal.ts'
import { holdData } from './sole-use.ts'

/** `npm run rotate-keys`: makes a new signing key, or, with `-- --leaked`, drops those there are at once. */
async function main(): Promise<void> {
  const config = readConfig(process.env)
  await holdData(config)
  const database = await openDatabase(
    {
      url: config.DATABASE_URL,
      dataDir: config.DATA_DIR,
      pool: config.DATABASE_POOL,
      entities,
    },
    () => undefined,
  )
  const leaked = process.argv.includes('--leaked')
  const ring = new KeyRing(config.SECRET_KEY)
  const rotate = leaked ? replaceLeakedKeys : rotateKeys
  const rotation = await rotate(database.store.system, ring, new Date())
  await database.close()
  if (!rotation) return fail('The newest key is less than ten minutes old, or there is none yet.')
  const { kid, signsFrom } = rotation
  console.log(
    leaked
      ? `The keys were dropped. ${kid} signs on every server within a minute; clients refresh their access tokens.`
      : `${kid} signs from ${signsFrom.toISOString()}. The key before it verifies until its last token has run out.`,
  )
}

function fail(words: unknown): void {
  console.error(words)
  process.exitCode = 1
}

main()
  .catch(error => fail(explain(error)))
  // PGlite would keep the process
  .finally(() => process.exit())
