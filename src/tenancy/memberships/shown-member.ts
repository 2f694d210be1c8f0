import { can, inside, type Viewer } from '../../access/viewer.ts'
import type { createMemberLoaders } from './member.loaders.ts'
import type { Member } from './member.type.ts'

/** Who asks, and what reads for them. */
export interface NamedBy {
  viewer: Viewer | null
  loaders: Pick<ReturnType<typeof createMemberLoaders>, 'member'>
}

/**
 * The member behind something that names one in passing, such as whoever made it: oneself always, others as far as the
 * member list shows them, that is with `viewUser` and within the visibility of the role. Null for everybody else.
 */
export async function shownMember(
  { viewer, loaders }: NamedBy,
  place: { organisationId: string; id: string },
): Promise<Member | null> {
  if (!viewer) return null
  const { organisationId } = place
  const member = await loaders.member.load(place)
  if (!member || (member.userId && member.userId === viewer.userId)) return member
  const here = viewer.organisationId === organisationId || viewer.operator
  return here && can(inside(viewer, organisationId), 'viewUser') ? member : null
}
