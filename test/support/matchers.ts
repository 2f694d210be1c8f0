import { expect } from 'vitest'
import { Refusal } from './client.ts'

declare module 'vitest' {
  // repeats vitest's own signature
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /** A refusal with this code and, where given, this reason. */
    toBeRefused(code: string, reason?: string): R
  }
}

expect.extend({
  toBeRefused(received: unknown, code: string, reason?: string) {
    const refusal = received instanceof Refusal ? received : null
    const pass = refusal?.code === code && (reason === undefined || refusal.reason === reason)
    return {
      pass,
      message: () =>
        `expected a refusal ${code}${reason ? `/${reason}` : ''}, got ${String(received)}`,
      actual: refusal && { code: refusal.code, reason: refusal.reason },
      expected: { code, reason },
    }
  },
})
