import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { buildSchema } from 'graphql'
import { breakages } from './breakages.ts'

// Refuses what would break clients: `npm run schema:check` compares schema.graphql with the published one beside this
// file, and with that of the commit where this line of work began, as far as the history is here. It says what it
// compared. `npm run schema:publish` makes the present schema the published one, unless that breaks something.

const PRESENT = 'schema.graphql'
const PUBLISHED = 'test/house/published-schema.graphql'

const git = (...args: string[]): string | null => {
  try {
    return execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return null
  }
}

/** The commit to compare with: where this branch left the main one, or on that one the commit before. */
function findBase(): string | null {
  const head = git('rev-parse', 'HEAD')
  for (const main of ['origin/main', 'main']) {
    const base = git('merge-base', 'HEAD', main)
    if (base && base !== head) return base
  }
  return git('rev-parse', 'HEAD~1')
}

let broken = 0

function compare(name: string, before: string, present: string): void {
  const found = breakages(buildSchema(before), buildSchema(present), new Date())
  broken += found.length
  console.log(`${PRESENT} against ${name}: ${found.length || 'no'} breaking changes`)
  for (const each of found) console.log(`  ${each}`)
}

const present = readFileSync(PRESENT, 'utf8')
compare(PUBLISHED, readFileSync(PUBLISHED, 'utf8'), present)
const base = findBase()
const landed = base && git('show', `${base}:${PRESENT}`)
if (landed) compare(`commit ${base.slice(0, 12)}`, landed, present)
else console.log(`no earlier commit is here: compared with ${PUBLISHED} alone`)

if (broken) {
  console.log(
    'Deprecate first: `@deprecated(reason: "Use … instead. Ends 2027-07-01.")`; it may go from that day on.',
  )
  process.exitCode = 1
} else if (process.argv.includes('--publish')) copyFileSync(PRESENT, PUBLISHED)
