import { domainToASCII } from 'node:url'
import { badInput, type Path } from '../../shared/errors.ts'

const MOST_DOMAINS = 100
const DOMAIN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/

/** Mail domains as typed, in ASCII and lower case, without repeats. */
export function readDomains(domains: string[], path: Path): string[] {
  if (domains.length > MOST_DOMAINS)
    throw badInput(path, 'OUT_OF_RANGE', `Name at most ${MOST_DOMAINS} mail domains.`)
  const read = domains.map((domain, index) => {
    const ascii = domainToASCII(domain.trim().normalize('NFKC')).toLowerCase()
    if (!DOMAIN.test(ascii) || ascii.length > 253)
      throw badInput(
        [...path, index],
        'INVALID_FORMAT',
        'Name mail domains, such as `example.com`.',
      )
    return ascii
  })
  return [...new Set(read)]
}

/** Whether an address belongs to one of some domains; none at all means any. */
export const inDomains = (email: string, domains: readonly string[]): boolean =>
  !domains.length || domains.includes(email.slice(email.lastIndexOf('@') + 1))
