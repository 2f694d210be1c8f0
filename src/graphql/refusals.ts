import type { GraphQLSchema } from 'graphql'
import { AppError } from '../shared/errors.ts'
import type { Context } from './context.ts'

/** Has every refused mutation told to the trail: hung around everything else, so that refusals by doors are told too. */
export function hangRefusals(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const { name, resolve } = field
    if (!resolve) continue
    field.resolve = async (source, args, context: Context, info) => {
      let outcome: unknown
      try {
        outcome = await resolve(source, args, context, info)
      } catch (error) {
        await context.noteRefusal(name, args, error)
        throw error
      }
      // a door hands its refusal back
      if (outcome instanceof AppError) await context.noteRefusal(name, args, outcome)
      return outcome
    }
  }
  return schema
}
