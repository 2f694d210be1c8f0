import { AppError, forbidden, unauthenticated } from '../shared/errors.ts'
import type { Permission } from './permissions.ts'
import { allow, and, rule, type Rule } from './shield.ts'
import {
  begunElsewhere,
  can,
  inside,
  keyNotAllowed,
  operatorsOnly,
  organisationNotChosen,
  refusal,
  unfinished,
  type Viewer,
} from './viewer.ts'

/** What doors look at; the whole context is larger. */
interface DoorContext {
  viewer: Viewer | null
  now: Date
  stepUpSeconds: number
}

/** A door is a question about the viewer alone: it never reads the database. */
const openDoor = (name: string, ask: (context: DoorContext) => true | AppError): Rule =>
  // shield's cache ignores arguments, so two aliases would share one verdict
  rule(name, { cache: 'no_cache' })((_parent: unknown, _args: unknown, context: DoorContext) =>
    ask(context),
  )

/** A door that is shut to sessions which owe something, as all are that do not say otherwise. */
const door = (name: string, ask: (context: DoorContext) => true | AppError): Rule =>
  openDoor(name, context => unfinished(context.viewer) ?? ask(context))

/** A door that looks at the thing behind it too. */
function parentDoor(
  name: string,
  ask: (context: DoorContext, parent: { id: string; organisationId?: string }) => true | AppError,
): Rule {
  return rule(name, { cache: 'no_cache' })(
    (parent: { id: string; organisationId?: string }, _args: unknown, context: DoorContext) =>
      unfinished(context.viewer) ?? ask(context, parent),
  )
}

/** A refusal is returned, for a rule that throws loses its words. */
function asked(question: () => true | AppError): true | AppError {
  try {
    return question()
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

/** Anybody, signed in or not. */
export const everyone: Rule = allow

const noKey = ({ viewer }: DoorContext) => viewer?.credential !== 'API_KEY' || keyNotAllowed()

/** Anybody but an API key: ways in are for people. What a session owes does not keep its person from them. */
export const everyoneButKeys = openDoor('everyoneButKeys', noKey)

/** The same, where whoever is signed in does something in their session. */
export const everyoneFinished = door('everyoneFinished', noKey)

/** Whoever has presented a credential that holds, whatever they owe. */
export const identified = openDoor('identified', ({ viewer }) =>
  viewer ? true : unauthenticated(),
)

/** A key without any scope may ask who it is, and nothing else. */
const scoped = (viewer: Viewer): true | AppError =>
  viewer.scopes?.size !== 0 ||
  forbidden('SCOPE_MISSING', 'This key has no scopes: only `viewer` answers it.')

/** Whoever has presented a credential that holds, unless it is a key without scopes. */
export const identifiedWithScope = door('identifiedWithScope', ({ viewer }) =>
  viewer ? scoped(viewer) : unauthenticated(),
)

const person = ({ viewer }: DoorContext) =>
  !viewer ? unauthenticated() : viewer.credential === 'SESSION' || keyNotAllowed()

/** A person in a session; never an API key. */
export const signedIn = door('signedIn', person)

/** A person in a session, whatever it owes: what is needed to pay, and to leave. */
export const signedInOwing = openDoor('signedInOwing', person)

/** Someone who acts in an organisation. */
export const insideOrganisation = door('insideOrganisation', ({ viewer }) =>
  !viewer ? unauthenticated() : viewer.organisationId ? scoped(viewer) : organisationNotChosen(),
)

const known = new Map<string, Rule>()

/** shield wants one rule of a name. */
function once(name: string, make: (name: string) => Rule): Rule {
  const before = known.get(name)
  if (before) return before
  const made = make(name)
  known.set(name, made)
  return made
}

/** The caller holds `permission` in the organisation in use. */
export const holds = (permission: Permission): Rule =>
  once(`holds:${permission}`, name =>
    door(name, ({ viewer }) => can(viewer, permission) || refusal(viewer, permission)),
  )

/** Asked of an organisation: it is the one in use, or an operator looks in from the platform. */
export const here = parentDoor('here', ({ viewer }, { id }) =>
  asked(() => scoped(inside(viewer, id))),
)

/** Asked of an organisation: the caller holds `permission` there, or is an operator who looks in from the platform. */
export const holdsHere = (permission: Permission): Rule =>
  once(`holdsHere:${permission}`, name =>
    parentDoor(name, ({ viewer }, { id }) =>
      asked(() => {
        const reader = inside(viewer, id)
        return can(reader, permission) || refusal(reader, permission)
      }),
    ),
  )

/** Asked of a member: it is the caller in a session, or the caller holds `permission` where that member is. */
export const selfOr = (permission: Permission): Rule =>
  once(`selfOr:${permission}`, name =>
    parentDoor(name, ({ viewer }, { id, organisationId }) =>
      asked(() => {
        if (viewer?.principalId === id && viewer.credential === 'SESSION') return true
        const reader = inside(viewer, organisationId ?? '')
        return can(reader, permission) || refusal(reader, permission)
      }),
    ),
  )

/** Asked of a project: its organisation is in use, or an operator looks in from the platform. */
export const projectHere = parentDoor('projectHere', ({ viewer }, { organisationId }) =>
  asked(() => scoped(inside(viewer, organisationId ?? ''))),
)

/** An operator of the platform. */
export const operator = door('operator', ({ viewer }) =>
  !viewer ? unauthenticated() : viewer.operator || operatorsOnly(),
)

/** The session was not begun on a page of a tenant. */
const unbound = door('unbound', ({ viewer }) => !viewer?.boundToId || begunElsewhere())

/** A person who acts for their account, wherever it belongs. */
export const accountOwner: Rule = and(signedIn, unbound)

/** The person has proven lately who they are. */
const recentSignIn = openDoor('recentSignIn', ({ viewer, now, stepUpSeconds }) =>
  !viewer
    ? unauthenticated()
    : now.getTime() - viewer.authenticatedAt.getTime() <= stepUpSeconds * 1000 ||
      new AppError(
        'STEP_UP_REQUIRED',
        'Prove again who you are with `reauthenticate`, then try again.',
      ),
)

/** An operator who has proven lately who they are. */
export const recentOperator: Rule = and(signedIn, operator, recentSignIn)

/** A person who has proven lately who they are. */
export const recentPerson: Rule = and(signedIn, recentSignIn)

/** A person who acts for their account, and has proven lately who they are. */
export const recentAccountOwner: Rule = and(signedIn, unbound, recentSignIn)

/** A person who has proven lately who they are, whatever their session owes. */
export const recentPersonOwing: Rule = and(signedInOwing, recentSignIn)

/** The caller holds `permission` in the organisation in use, in a session. */
export const holdsInSession = (permission: Permission): Rule =>
  once(`holdsInSession:${permission}`, () => and(signedIn, holds(permission)))

/** Rules of some types, by field. */
export type Rules = Record<string, Record<string, Rule>>
