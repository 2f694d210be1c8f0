import { shownMember, type NamedBy } from '../../tenancy/memberships/shown-member.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import type { createServiceAccountLoaders } from './service-account.loaders.ts'
import type { ServiceAccount } from './service-account.type.ts'

interface Asked extends NamedBy {
  loaders: NamedBy['loaders'] &
    Pick<ReturnType<typeof createServiceAccountLoaders>, 'serviceAccount'>
}

/** The member, as far as it is shown, or the service account behind something that names one in passing. */
export async function shownPrincipal(
  asked: Asked,
  place: { organisationId: string; id: string },
): Promise<Member | ServiceAccount | null> {
  return (await shownMember(asked, place)) ?? asked.loaders.serviceAccount.load(place)
}
