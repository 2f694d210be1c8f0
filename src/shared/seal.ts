import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { digest } from './tokens.ts'

const TAG_BYTES = 16

/** What was sealed was sealed by none of the keys there are. */
export class NoKeyError extends Error {}

interface Key {
  id: string
  root: Buffer
}

/**
 * Seals what must be read back (signing keys, seeds, mail data) and derives what must not be stored.
 *
 * The first key seals; the others still open what they sealed, so `SECRET_KEY` can be rotated by putting a
 * new key in front. Sealed text is `keyId.nonce.tag.ciphertext` in base64url, AES-256-GCM (NIST SP 800-38D)
 * with the purpose as associated data, so that one kind of secret cannot be put in the place of another.
 */
export class KeyRing {
  readonly #keys: Key[]

  /** @param roots 32 bytes each, the newest first. */
  constructor(roots: Buffer[]) {
    if (!roots.length) throw new Error('A key ring needs at least one key.')
    this.#keys = roots.map(root => ({ id: digest(root.toString('base64')).slice(0, 8), root }))
  }

  seal(purpose: string, plain: string): string {
    const key = this.#keys[0]!
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', derive(key, purpose), nonce).setAAD(
      Buffer.from(purpose),
    )
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    const parts = [nonce, cipher.getAuthTag(), sealed].map(part => part.toString('base64url'))
    return [key.id, ...parts].join('.')
  }

  /** @throws {NoKeyError} when the key is gone; anything else when the text was changed or sealed for another purpose. */
  open(purpose: string, text: string): string {
    const [id, nonce, tag, sealed] = text.split('.')
    const key = this.#keys.find(candidate => candidate.id === id)
    if (!key || !nonce || !tag || sealed == null)
      throw new NoKeyError(`No key opens this ${purpose}.`)
    const decipher = createDecipheriv(
      'aes-256-gcm',
      derive(key, purpose),
      Buffer.from(nonce, 'base64url'),
      // without it a tag of four bytes would do
      { authTagLength: TAG_BYTES },
    )
    decipher.setAAD(Buffer.from(purpose)).setAuthTag(Buffer.from(tag, 'base64url'))
    return Buffer.concat([
      decipher.update(Buffer.from(sealed, 'base64url')),
      decipher.final(),
    ]).toString('utf8')
  }

  /** False for what another key sealed, which should be sealed anew before that key is given up. */
  sealedByNewest(text: string): boolean {
    return text.startsWith(this.newestPrefix)
  }

  /** How everything begins that the newest key sealed. */
  get newestPrefix(): string {
    return `${this.#keys[0]!.id}.`
  }

  /** Keys for one purpose, the newest first (HKDF-SHA-256, RFC 5869). */
  derived(purpose: string): KeyObject[] {
    return this.#keys.map(key => derive(key, purpose))
  }
}

const derivations = new WeakMap<Key, Map<string, KeyObject>>()

function derive(key: Key, purpose: string): KeyObject {
  let known = derivations.get(key)
  if (!known) derivations.set(key, (known = new Map()))
  let derived = known.get(purpose)
  if (!derived)
    known.set(
      purpose,
      (derived = createSecretKey(
        new Uint8Array(hkdfSync('sha256', key.root, 'gatehouse', purpose, 32)),
      )),
    )
  return derived
}
