import type { FastifyReply, FastifyRequest } from 'fastify'
import { transact, type Work } from '../../access/work.ts'
import { SYSTEM } from '../../database/context.ts'
import type { Node } from '../../graphql/context.ts'
import { requestInfo } from '../authenticate.ts'
import { fieldOf } from './page-guard.ts'

/** Somebody with a mailed link, on its way through a page. */
export interface Visit {
  node: Node
  request: FastifyRequest
  reply: FastifyReply
  token: string
  now: Date
}

/** A visit by a link that was opened, or by a form that was sent. */
export function visitOf(node: Node, request: FastifyRequest, reply: FastifyReply): Visit {
  const { token } = request.query as { token?: unknown }
  const opened = typeof token === 'string' ? token : ''
  return {
    node,
    request,
    reply,
    token: request.method === 'POST' ? fieldOf(request, 'token') : opened,
    now: node.clock(),
  }
}

/** Queries that run as *system*. */
export const systemOf = ({ node }: Visit) => node.database.store.system

/** Runs a unit of work as *system*, on behalf of nobody who is signed in. */
export const asSystem = <Result>(
  { node, request, now }: Visit,
  unit: (work: Work) => Promise<Result>,
): Promise<Result> =>
  transact(
    {
      store: node.database.store,
      context: SYSTEM,
      viewer: null,
      now,
      request: requestInfo(request),
      server: node.server,
    },
    unit,
  )
