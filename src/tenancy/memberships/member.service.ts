import { isAbove, must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns, rowAt } from '../../database/columns.ts'
import { join, sql } from '../../database/sql.ts'
import { badInput, forbidden, notFound, type Path } from '../../shared/errors.ts'
import { searchWords, singleLine, sortKey } from '../../shared/normalise.ts'
import { only, type Outcome } from '../../shared/outcome.ts'
import { isId } from '../../shared/tokens.ts'
import { ROLE_FIELDS } from '../roles/role.loaders.ts'
import type { Role } from '../roles/role.type.ts'
import { visible } from './member.list.ts'
import { memberColumns } from './member.loaders.ts'
import type { Member } from './member.type.ts'

const LONGEST_EXTERNAL_ID = 200
/** An entry of an index has at most 2,704 bytes. */
const LONGEST_WORDS = 250

/** Reads members as they now stand, by id. */
export async function readMembers(work: Work, ids: string[]): Promise<Map<string, Member>> {
  const members = await work.db.rows<Member>(
    sql`select ${memberColumns('m')} from principal m where m.id = any(${ids}::uuid[])`,
  )
  return new Map(members.map(member => [member.id, member]))
}

/**
 * Members whom the viewer may act on, by id, with their rows locked until the transaction ends.
 *
 * Others' members, removed ones and those the viewer's role does not show are all unknown. Who holds an organisation
 * permission that the viewer lacks is out of reach.
 *
 * @returns for each id the member, or `NOT_FOUND` or `FORBIDDEN` / `EXCEEDS_OWN_PERMISSIONS`.
 */
export async function findManagedMembers(
  work: Work,
  viewer: TenantViewer,
  ids: string[],
): Promise<(id: string) => Outcome<Member>> {
  const rows = await work.db.rows<Record<string, unknown>>(
    sql`select ${memberColumns('m', 'm.')}, ${columns('r', ROLE_FIELDS, 'r.')}
      from principal m join role r on r.id = m.role_id
      where ${join([sql`m.id = any(${ids.filter(isId)}::uuid[])`, sql`m.organisation_id = ${viewer.organisationId}`, ...visible(viewer)], ' and ')}
        and m.kind = 'MEMBER' and m.removed_at is null
      order by m.id for update of m`,
  )
  const found = new Map(rows.map(row => [row['m.id'], row]))
  return id => {
    const row = found.get(id)
    if (!row) return { refusal: notFound('member') }
    if (!isAbove(viewer, rowAt<Role>(row, 'r.', ROLE_FIELDS)!))
      return {
        refusal: forbidden(
          'EXCEEDS_OWN_PERMISSIONS',
          'This member holds permissions that you do not hold.',
        ),
      }
    return { done: readMember(row) }
  }
}

/** One of them. */
export async function getManagedMember(
  work: Work,
  viewer: TenantViewer,
  id: string,
): Promise<Member> {
  return only([(await findManagedMembers(work, viewer, [id]))(id)])
}

const readMember = (found: Record<string, unknown>): Member =>
  Object.fromEntries(
    Object.entries(found).flatMap(([name, value]) =>
      name.startsWith('m.') ? [[name.slice(2), value]] : [],
    ),
  ) as unknown as Member

/** An external id as typed: undefined keeps, null clears. */
export function readExternalId(
  text: string | null | undefined,
  path: Path,
): string | null | undefined {
  if (text == null) return text
  const line = singleLine(text)
  if (!line) throw badInput(path, 'INVALID_FORMAT', 'An external id is one line of text.')
  if (line.length > LONGEST_EXTERNAL_ID)
    throw badInput(
      path,
      'OUT_OF_RANGE',
      `External ids have at most ${LONGEST_EXTERNAL_ID} characters.`,
    )
  return line
}

interface Named {
  id: string
  name: string
  email: string
}

/** Replaces the words by which members are found. */
export async function writeWords(
  work: Work,
  organisationId: string,
  members: Named[],
): Promise<void> {
  const ids = members.map(member => member.id)
  await work.db.rows(
    sql`delete from member_word where organisation_id = ${organisationId} and principal_id = any(${ids}::uuid[])`,
  )
  await writeFirstWords(work, organisationId, members)
}

/** Writes the words of members who have none yet. */
export async function writeFirstWords(
  work: Work,
  organisationId: string,
  members: Named[],
): Promise<void> {
  const rows = members.flatMap(({ id, name, email }) => {
    const words = searchWords(name, email)
    const together = words.map(word => ` ${word}`).join('')
    return words.map(word => ({
      id,
      word,
      sort_name: sortKey(name),
      words: together.length > LONGEST_WORDS ? null : together,
    }))
  })
  await work.db.rows(sql`
    insert into member_word (organisation_id, principal_id, word, sort_name, words)
    select ${organisationId}, id, word, sort_name, words
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as w (id uuid, word text, sort_name text, words text)`)
}

/** A member by id: oneself always, others with `viewUser` and as far as the role shows them. */
export const mayRead = (viewer: TenantViewer, id: string): TenantViewer =>
  viewer.principalId === id ? viewer : must(viewer, 'viewUser')
