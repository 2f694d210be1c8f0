import { ormConfig } from './src/database/orm.ts'
import { entities } from './src/entities.ts'
import { readConfig } from './src/shared/config.ts'

const config = readConfig(process.env)

/** For MikroORM's command line; the server opens the same database through `openDatabase`. */
export default ormConfig({
  url: config.DATABASE_URL,
  dataDir: config.DATA_DIR,
  pool: config.DATABASE_POOL,
  entities,
})
