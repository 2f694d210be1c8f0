import type { KeyObject } from 'node:crypto'
import { badInput } from './errors.ts'
import type { KeyRing } from './seal.ts'
import { mac, sameSecret } from './tokens.ts'

const PURPOSE = 'cursor'
const PROOF_BYTES = 16

/** Where a page ended: the sort key of its last row, and its id. */
export interface Position {
  key: string
  id: string
}

/** What a list is, so that a cursor is good for this one alone: its name, tenant, filter and order. */
export type ListIdentity = readonly unknown[]

const proofOf = (key: KeyObject, list: ListIdentity, body: string) =>
  mac(key, JSON.stringify([list, body])).subarray(0, PROOF_BYTES)

/** An opaque cursor, authenticated and bound to its list. */
export function writeCursor(ring: KeyRing, list: ListIdentity, position: Position): string {
  const body = Buffer.from(JSON.stringify([position.key, position.id])).toString('base64url')
  return `${body}.${proofOf(ring.derived(PURPOSE)[0]!, list, body).toString('base64url')}`
}

/** @throws {AppError} `BAD_USER_INPUT` / `CURSOR_INVALID` for a cursor of another list, or one that was changed. */
export function readCursor(ring: KeyRing, list: ListIdentity, cursor: string): Position {
  const [body = '', proof = ''] = cursor.split('.')
  const given = Buffer.from(proof, 'base64url')
  if (!ring.derived(PURPOSE).some(key => sameSecret(proofOf(key, list, body), given)))
    throw badInput(
      ['after'],
      'CURSOR_INVALID',
      'This cursor does not belong to this list. Pass `endCursor` of a page with the same filter and order.',
    )
  const [key, id] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string, string]
  return { key, id }
}
