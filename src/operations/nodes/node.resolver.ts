import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { Node } from '../../shared/node.type.ts'
import { findNode } from './node.service.ts'

@Resolver()
export class NodeResolver {
  @Query(() => Node, {
    nullable: true,
    description: 'Anything by id, under the same rules as every other way of reaching it.',
  })
  node(@Arg('id', () => ID) id: string, @Ctx() context: Context) {
    return findNode(context, id)
  }
}
