import type { KeyRing } from '../../shared/seal.ts'
import type { MailReader } from './mail.service.ts'

/** Where the link at the foot of a mail leads that stops mails of its kind, and the parameter that says which. */
export const STOP_PATH = '/unsubscribe'
export const STOP_PARAMETER = 'stop'
const SEAL = 'unsubscribe'

/** A link that stops the mails of some kinds to an account. It is for its owner alone and good for nothing else. */
export function stopUrlOf(keys: KeyRing, publicUrl: string, reader: MailReader): string {
  const url = new URL(STOP_PATH, publicUrl)
  url.searchParams.set(STOP_PARAMETER, keys.seal(SEAL, JSON.stringify(reader)))
  return url.href
}

/** What the token of such a link stands for; null for one that this server never made, or that was changed. */
export function readStopToken(keys: KeyRing, token: string): MailReader | null {
  try {
    return JSON.parse(keys.open(SEAL, token)) as MailReader
  } catch {
    return null
  }
}
