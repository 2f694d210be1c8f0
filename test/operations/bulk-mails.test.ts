import { afterAll, beforeAll, expect, test } from 'vitest'
import { Branch } from '../outbox/branch.ts'
import { linkOf, tokenOf } from '../outbox/letter.ts'
import { tokenIn } from '../support/mailbox.ts'
import { accept, freshEmail, newcomer } from '../support/people.ts'
import { tamper } from './trail.ts'

// Whatever becomes of a chunk, each person is mailed once, by a link that holds.

let branch: Branch
/** Some who have accounts already: they join at once, and are told. */
let known: string[]

beforeAll(async () => {
  branch = await Branch.start()
  await branch.office.open()
  known = []
  for (let n = 0; n < 3; n += 1) known.push((await newcomer(branch.admin)).email)
  const { createOrganisation: made } = await branch.admin.ask(
    `mutation { createOrganisation(input: { name: "Elsewhere" }) { organisation { id } } }`,
  )
  await branch.admin.switchTo(made.organisation.id)
  await clash()
})
afterAll(() => branch.stop())

/**
 * Somebody else is first, always and at the last moment: for some addresses the very last statement of a chunk breaks
 * a unique rule, when everything is written and every mail is queued.
 */
async function clash(): Promise<void> {
  const { server } = branch
  await tamper(
    server,
    `create function clash() returns trigger language plpgsql as $$
    begin raise exception 'somebody was first' using errcode = 'unique_violation'; end $$`,
  )
  await tamper(
    server,
    `create trigger clash before insert on event_person for each row
    when (new.target_name like 'clash-%@%') execute function clash()`,
  )
}

const ROWS = 500
/** Places of those who clash: two in the first of five chunks, one at the edge of the fourth, none in the others. */
const CLASHING = new Set([3, 57, 399])
const ANSWER = `{ applied succeeded failed results { index invitationUrl member { id status } problem { code reason path } } }`
const run = async (field: string, type: string, rows: unknown[], more: object) =>
  (
    await branch.admin.ask(
      `mutation ($rows: [${type}!]!, $onError: BulkErrorPolicy! = CONTINUE, $dryRun: Boolean! = false) {
        done: ${field}(rows: $rows, onError: $onError, dryRun: $dryRun) ${ANSWER} }`,
      { rows, ...more },
    )
  ).done

/** How many mails arrived for each address since a moment. */
function arrived(since: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { recipients } of branch.office.letters.slice(since))
    for (const address of recipients) counts.set(address, (counts.get(address) ?? 0) + 1)
  return counts
}
const eventsOf = async (topic: string): Promise<number> =>
  (
    await branch.server.database.owner(
      `select count(*)::int as count from event where organisation_id = $1 and topic = $2 and outcome = 'SUCCEEDED'`,
      [branch.admin.organisationId, topic],
    )
  )[0]!.count as number

const people = () =>
  Array.from({ length: ROWS }, (_, index) => ({
    email: freshEmail(CLASHING.has(index) ? 'clash' : 'bulk'),
    firstName: 'Ann',
    lastName: 'Lee',
  }))

test('people who are added are mailed once each, where chunks fall back to single rows', async () => {
  const { office, server } = branch
  const rows = people().map((row, index) => {
    // in chunks that fall back, and in one that does not
    if (index === 10 || index === 310 || index === 150) return { ...row, sendInvitation: false }
    const account = [20, 320, 160].indexOf(index)
    return account < 0 ? row : { ...row, email: known[account]! }
  })
  const unmailed = new Set(rows.flatMap((row, at) => ('sendInvitation' in row ? at : [])))
  for (const more of [{ onError: 'ABORT' }, { dryRun: true }]) {
    const since = office.letters.length
    const held = await run('addMembers', 'AddMemberInput', rows, more)
    expect(held).toMatchObject({ applied: false, succeeded: ROWS - 3, failed: 3 })
    await branch.settled()
    expect(arrived(since)).toEqual(new Map())
  }
  const [since, added, sent] = [
    office.letters.length,
    await eventsOf('member.added'),
    await eventsOf('invitation.sent'),
  ]
  const done = await run('addMembers', 'AddMemberInput', rows, {})
  expect(done).toMatchObject({ applied: true, succeeded: ROWS - 3, failed: 3 })
  expect(
    done.results
      .filter(({ problem }: any) => problem)
      .map(({ index, problem }: any) => [index, problem.reason, problem.path]),
  ).toEqual([...CLASHING].map(at => [at, 'ALREADY_EXISTS', ['rows', String(at)]]))
  await branch.settled()
  const expected = rows.filter((_, at) => !CLASHING.has(at) && !unmailed.has(at))
  expect(arrived(since)).toEqual(new Map(expected.map(({ email }) => [email, 1])))
  expect(await eventsOf('member.added')).toBe(added + ROWS - 3)
  // those who had accounts joined, and were told so by their one mail
  expect(await eventsOf('invitation.sent')).toBe(sent + ROWS - 3 - 3)
  const [left] = await server.database.owner(
    `select count(*)::int as count from principal where email like 'clash-%' and organisation_id = $1`,
    [branch.admin.organisationId],
  )
  expect(left!.count).toBe(0)

  // the one link of each holds, whether it was made at the first try or at the second
  for (const index of [0, 99, 150, 310, 398]) {
    const { email } = rows[index]!
    const { invitationUrl, member } = done.results[index]
    const letter = office.letters.slice(since).find(each => each.recipients[0] === email)
    expect(letter === undefined).toBe(invitationUrl !== null)
    const person = await accept(server, letter ? tokenOf(letter) : tokenIn(invitationUrl))
    expect(person.memberId).toBe(member.id)
  }
}, 120_000)

test('people who are invited are mailed once each, where chunks fall back to single rows', async () => {
  const { office } = branch
  const rows = people().map(({ email }, index) => ({ email, message: `Number ${index}.` }))
  const since = office.letters.length
  const done = await run('inviteMembers', 'InviteMemberInput', rows, {})
  expect(done).toMatchObject({ applied: true, succeeded: ROWS - 3, failed: 3 })
  await branch.settled()
  const expected = rows.filter((_, at) => !CLASHING.has(at))
  expect(arrived(since)).toEqual(new Map(expected.map(({ email }) => [email, 1])))
  const letters = new Map(
    office.letters.slice(since).map(letter => [letter.recipients[0]!, letter]),
  )
  for (const [index, { email }] of rows.entries())
    if (!CLASHING.has(index)) expect(letters.get(email)!.text).toContain(`“Number ${index}.”`)
  const links = new Set([...letters.values()].map(letter => linkOf(letter).href))
  expect(links.size).toBe(ROWS - 3)
}, 120_000)
