import { writeFileSync } from 'node:fs'
import { buildOpenSchema, printSorted } from './graphql/schema.ts'

/** `npm run schema`: writes `schema.graphql` anew, to be reviewed like code. */
writeFileSync('schema.graphql', printSorted(await buildOpenSchema()))
