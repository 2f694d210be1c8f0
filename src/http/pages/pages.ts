import type { FastifyInstance } from 'fastify'
import type { Node } from '../../graphql/context.ts'

/** The pages where mailed links land. */
export async function registerPages(_app: FastifyInstance, _node: Node): Promise<void> {}
