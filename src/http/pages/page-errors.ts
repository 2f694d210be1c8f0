import type { FastifyError, FastifyInstance } from 'fastify'
import { isPassing } from '../../database/failures.ts'
import { AppError } from '../../shared/errors.ts'
import { notice, sendPage, wordsOf } from './page-layout.ts'
import type { Words } from './words.en.ts'

interface Answer {
  status: number
  words: keyof Words['refusals']
  /** Seconds. */
  retryAfter?: number
}

/** Answers what goes wrong on a page with a page, without telling what was inside. */
export function registerPageErrors(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const { status, words: name, retryAfter } = answerTo(error)
    app.metrics.refused(...countedAs(error, status))
    if (status === 500) request.log.error({ err: error, requestId: request.id }, 'a page failed')
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter))
    const words = wordsOf(request)
    const { title, text } = words.refusals[name]
    const more =
      status === 500
        ? [request.id]
        : status === 429 && retryAfter !== undefined
          ? [words.waitFor(retryAfter)]
          : []
    return sendPage(reply.code(status), words, notice(title, text, ...more))
  })
}

/** Code and reason, as the other ways to this server count what they refuse. */
function countedAs(error: FastifyError | AppError, status: number): [string, string | undefined] {
  if (error instanceof AppError) return [error.code, error.details.reason]
  if (status === 503) return ['SERVICE_UNAVAILABLE', undefined]
  return [status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'BAD_REQUEST', undefined]
}

function answerTo(error: FastifyError | AppError): Answer {
  if (error instanceof AppError) return answerToRefusal(error)
  if (isPassing(error)) return { status: 503, words: 'busy', retryAfter: 1 }
  const status = error.statusCode ?? 500
  if (status === 403) return { status, words: 'formForeign' }
  if (status === 413) return { status, words: 'tooLarge' }
  if (status >= 400 && status < 500) return { status, words: 'unreadable' }
  return { status: 500, words: 'failed' }
}

/** What the flows refuse, other than faults of input, which the form shows itself. */
function answerToRefusal({ code, details: { reason, retryAfter } }: AppError): Answer {
  switch (code) {
    case 'RATE_LIMITED':
      return { status: 429, words: 'tooManyAttempts', retryAfter }
    case 'SERVICE_UNAVAILABLE':
      return { status: 503, words: 'busy', retryAfter }
    case 'FORBIDDEN':
      // where whoever invited may do so no more, the cure is the same as for a dead link
      return reason === 'EXCEEDS_OWN_PERMISSIONS'
        ? { status: 410, words: 'gone' }
        : { status: 403, words: 'barred' }
    // a link that was not mailed met an account that somebody uses
    case 'UNAUTHENTICATED':
      return { status: 409, words: 'addressTaken' }
    case 'CONFLICT':
      return { status: 409, words: 'meanwhile' }
    case 'BAD_USER_INPUT':
      return reason === 'TOKEN_INVALID'
        ? { status: 410, words: 'gone' }
        : { status: 409, words: 'meanwhile' }
    default:
      return { status: 500, words: 'failed' }
  }
}
