import { Field, InputType } from 'type-graphql'
import { DateTime } from '../../shared/scalars.ts'

/** Why and for how long. */
@InputType({ description: 'Why and for how long.' })
export class SuspendInput {
  @Field(() => String, { nullable: true })
  reason?: string | null

  @Field(() => DateTime, {
    nullable: true,
    description: 'When to readmit by itself; null for not until told.',
  })
  until?: Date | null
}
