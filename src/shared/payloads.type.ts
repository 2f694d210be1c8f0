import { Field, ObjectType } from 'type-graphql'
import { EmailAddress } from './scalars.ts'

/** Says that a request was taken in. It reads the same whether or not an account exists. */
@ObjectType({
  description:
    'Says that a request was taken in. It reads the same whether or not an account exists.',
  simpleResolvers: true,
})
export class Acknowledgement {
  @Field(() => EmailAddress, {
    description: 'The address the request was about, as given or as the token names it.',
  })
  email!: string
}
