import { inSession } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { moveDigests } from '../../accounts/notifications/preference.service.ts'
import { fullName } from '../../accounts/users/user.service.ts'
import { writeUserWords } from '../../accounts/users/user-words.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { badInput, notFound } from '../../shared/errors.ts'
import { sortKey } from '../../shared/normalise.ts'
import { readTitle } from '../../shared/titles.ts'
import { writeWords } from '../../tenancy/memberships/member.service.ts'
import type { UpdateProfileInput } from './profile.type.ts'

const STANDARD = { locale: 'en', timeZone: 'UTC' }
// E.164: a plus, the country, at most fifteen digits
const PHONE = /^\+[1-9]\d{6,14}$/

interface Profile {
  firstName: string
  lastName: string
  phoneNumber: string | null
  locale: string
  timeZone: string
}

/**
 * Changes one's own profile; as *system*. Absent keeps; null clears the phone number and the last name, and sets
 * language and time zone back to their standard. A new name is shown wherever the person has entered, unless the
 * organisation has given them one of its own.
 */
export async function updateProfile(work: Work, input: UpdateProfileInput): Promise<void> {
  const { userId } = inSession(work.viewer)
  const before = await firstRow<Profile>(
    work.db,
    sql`select first_name as "firstName", last_name as "lastName", phone_number as "phoneNumber", locale,
        time_zone as "timeZone" from user_account where id = ${userId} and deleted_at is null for no key update`,
  )
  if (!before) throw notFound('user')
  const after = readProfile(before, input)
  const changes = changesBetween(before, after)
  if (!changes.length) return
  await work.db.rows(sql`
    update user_account set first_name = ${after.firstName}, last_name = ${after.lastName},
      phone_number = ${after.phoneNumber}, locale = ${after.locale}, time_zone = ${after.timeZone},
      updated_at = ${work.now}
    where id = ${userId}`)
  if (before.timeZone !== after.timeZone) await moveDigests(work, userId, after.timeZone)
  if (fullName(before) !== fullName(after) || before.firstName !== after.firstName) {
    await writeUserWords(work, [userId])
    await renameMemberships(work, userId, after)
  }
  await record(work, 'user.updated', {
    organisationId: null,
    target: { kind: 'User', id: userId, name: fullName(after) },
    changes,
  })
}

function readProfile(before: Profile, input: UpdateProfileInput): Profile {
  const { firstName, lastName, phoneNumber, locale, timeZone } = input
  const name = (text: string | null | undefined, field: 'firstName' | 'lastName', least: number) =>
    text === undefined ? before[field] : readTitle(text ?? '', ['input', field], least)
  return {
    firstName: name(firstName, 'firstName', 1),
    lastName: name(lastName, 'lastName', 0),
    phoneNumber: phoneNumber === undefined ? before.phoneNumber : readPhone(phoneNumber),
    locale: locale === undefined ? before.locale : readLocale(locale),
    timeZone: timeZone === undefined ? before.timeZone : readTimeZone(timeZone),
  }
}

/** Members who have entered go by their own name; the words they are found by go with it. */
async function renameMemberships(work: Work, userId: string, names: Profile): Promise<void> {
  const name = fullName(names)
  const renamed = await work.db.rows<{ id: string; organisationId: string; email: string }>(sql`
    update principal m set first_name = ${names.firstName}, last_name = ${names.lastName}, name = ${name},
      sort_name = ${sortKey(name)}, updated_at = ${work.now}
    from (select id from principal where user_id = ${userId} and removed_at is null and entered_at is not null
      and not name_kept order by id for no key update) as mine
    where m.id = mine.id returning m.id, m.organisation_id as "organisationId", m.email`)
  for (const { id, organisationId, email } of renamed)
    await writeWords(work, organisationId, [{ id, name, email }])
}

function readPhone(text: string | null): string | null {
  const digits = text?.replace(/[\s().-]/g, '') ?? ''
  if (digits && !PHONE.test(digits))
    throw badInput(
      ['input', 'phoneNumber'],
      'INVALID_FORMAT',
      'Write the phone number with its country, such as +41 44 668 18 00.',
    )
  return digits || null
}

/** A language tag in its canonical form (BCP 47). */
function readLocale(tag: string | null): string {
  if (tag == null) return STANDARD.locale
  try {
    const [canonical] = tag.length <= 35 ? Intl.getCanonicalLocales(tag) : []
    if (canonical) return canonical
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw badInput(['input', 'locale'], 'INVALID_FORMAT', 'Name a language, such as en or de-CH.')
}

/** A time zone of the IANA database. */
function readTimeZone(name: string | null): string {
  if (name == null) return STANDARD.timeZone
  try {
    // offsets such as +02:00 are no place: they know no summer
    if (/^[A-Z]/i.test(name))
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw badInput(
    ['input', 'timeZone'],
    'INVALID_FORMAT',
    'Name a time zone, such as Europe/Zurich.',
  )
}
