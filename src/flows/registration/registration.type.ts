import { Field, ID, InputType, ObjectType } from 'type-graphql'
import { EmailAddress } from '../../shared/scalars.ts'
import { PasswordPolicy, SignInMethod } from '../../tenancy/policies/policy.type.ts'

/** Who is registering, and with which project. */
@InputType({ description: 'Who is registering, and with which project.' })
export class SignUpInput {
  @Field(() => ID, { description: 'Project to register with.' })
  projectId!: string

  @Field(() => EmailAddress)
  email!: string

  @Field(() => String, {
    nullable: true,
    description: 'Leave out to sign in by mailed links only.',
  })
  password?: string | null

  @Field(() => String)
  firstName!: string

  @Field(() => String)
  lastName!: string
}

/** What a sign-in page may offer. */
@ObjectType({ description: 'What a sign-in page may offer.', simpleResolvers: true })
export class SignInOptions {
  @Field(() => [SignInMethod])
  methods!: SignInMethod[]

  @Field(() => PasswordPolicy)
  password!: PasswordPolicy

  @Field(() => Boolean, { description: 'True when people may register themselves.' })
  signUpOpen!: boolean
}
