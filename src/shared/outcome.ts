import { AppError } from './errors.ts'

/** What became of one of several things that were asked for at once: done, or refused. */
export type Outcome<Done> = { done: Done } | { refusal: AppError }

/** Tries a step; a refusal becomes its outcome, and every other failure stays one. */
export function attempt<Done>(step: () => Done): Outcome<Done> {
  try {
    return { done: step() }
  } catch (error) {
    if (error instanceof AppError) return { refusal: error }
    throw error
  }
}

/** The single outcome of a thing that was asked for by itself. */
export function only<Done>([outcome]: Outcome<Done>[]): Done {
  if (!outcome) throw new Error('nothing was asked for')
  if ('refusal' in outcome) throw outcome.refusal
  return outcome.done
}

/** What was done, of several outcomes. */
export const doneOf = <Done>(outcomes: Outcome<Done>[]): Done[] =>
  outcomes.flatMap(outcome => ('done' in outcome ? [outcome.done] : []))
