import { AppError } from '../../shared/errors.ts'
import { requestInfo } from '../authenticate.ts'
import type { Visit } from './page-visit.ts'

/** Refusals that the trail knows of: a step may be part of another. */
const told = new WeakSet<object>()

/**
 * Does a step of a page in place of a mutation: what is refused of it is told to the trail as if that had been refused.
 * Looking at a page is no act, and neither is what a form shows again as a mere fault of input.
 */
export async function inPlaceOf<Result>(
  visit: Visit,
  mutation: string,
  step: () => Promise<Result>,
  args: Record<string, unknown> = {},
): Promise<Result> {
  try {
    return await step()
  } catch (error) {
    await tell(visit, mutation, error, args)
    throw error
  }
}

async function tell(
  { node, request, now }: Visit,
  mutation: string,
  error: unknown,
  args: Record<string, unknown>,
): Promise<void> {
  if (!(error instanceof Error) || told.has(error)) return
  told.add(error)
  const asker = { viewer: null, request: requestInfo(request), now }
  await node.refusals.note({ ...asker, mutation, args, error })
}

/**
 * What a page answers in words of its own instead of throwing it: counted as every other refusal.
 *
 * @returns whether this is such a refusal.
 */
export function isAnswered(
  { node }: Visit,
  error: unknown,
  isMeant: (error: AppError) => boolean,
): boolean {
  if (!(error instanceof AppError) || !isMeant(error)) return false
  node.server.metrics.refused(error.code, error.details.reason)
  return true
}
