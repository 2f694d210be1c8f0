import { Field, ObjectType } from 'type-graphql'

/** The caller of this request: which identity, through which credential, acting where. */
@ObjectType('Viewer', {
  description:
    'The caller of this request: which identity, through which credential, acting where.',
  simpleResolvers: true,
})
export class ViewerType {
  @Field(() => Boolean, { description: 'True for platform operators signed in as themselves.' })
  operator!: boolean
}
