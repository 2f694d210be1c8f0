import { Field, ObjectType, registerEnumType } from 'type-graphql'
import { enumOf } from '../../shared/enums.ts'

/** Families of topics, the grain at which people choose notifications. */
export const TopicCategory = enumOf(
  'SECURITY',
  'ACCOUNT',
  'MEMBERSHIP',
  'ACCESS',
  'API_KEY',
  'INTEGRATION',
  'PLATFORM',
)
export type TopicCategory = keyof typeof TopicCategory
registerEnumType(TopicCategory, {
  name: 'TopicCategory',
  description: 'Families of topics, the grain at which people choose notifications.',
  valuesConfig: {
    SECURITY: { description: 'Sign-ins, credentials and second factors.' },
    ACCOUNT: { description: 'Profile and address.' },
    MEMBERSHIP: { description: 'Joining, leaving, invitations and standing.' },
    ACCESS: { description: 'Roles, project access and reviews.' },
    API_KEY: { description: 'API keys and service accounts.' },
    INTEGRATION: { description: 'Webhooks and workflows.' },
    PLATFORM: { description: 'Organisations and platform policy.' },
  },
})

/** A kind of event, such as `member.locked`. One vocabulary for audit, webhooks, workflows and mail. */
@ObjectType({
  description:
    'A kind of event, such as `member.locked`. One vocabulary for audit, webhooks, workflows and mail.',
  simpleResolvers: true,
})
export class Topic {
  @Field(() => String, { description: 'Its identity, as `thing.happened`.' })
  name!: string

  @Field(() => String)
  description!: string

  @Field(() => TopicCategory)
  category!: TopicCategory
}
