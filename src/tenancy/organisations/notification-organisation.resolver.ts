import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql'
import { Notification } from '../../accounts/notifications/notification.type.ts'
import type { Context } from '../../graphql/context.ts'
import { Organisation } from './organisation.type.ts'

@Resolver(() => Notification)
export class NotificationOrganisationResolver {
  @FieldResolver(() => Organisation, {
    nullable: true,
    description: 'The organisation it came from; null for the platform.',
  })
  organisation(@Root() { organisationId }: Notification, @Ctx() { loaders }: Context) {
    // whoever has left it since sees it no more
    return organisationId && loaders.organisation.find({ organisationId, id: organisationId })
  }
}
