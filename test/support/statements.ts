import type { TestServer } from './server.ts'

/** Counts the statements that the transactions of a step take, and brings what it came to. */
export async function countStatements<Result>(
  { app }: TestServer,
  step: () => Promise<Result>,
): Promise<{ seen: number; result: Result }> {
  const { em } = app.node.database.orm
  const fork = em.fork.bind(em)
  let seen = 0
  em.fork = ((...options: Parameters<typeof fork>) => {
    const made = fork(...options)
    const transactional = made.transactional.bind(made)
    made.transactional = (unit: any, more: any) =>
      transactional(async (inner: any) => {
        const transaction = inner.getTransactionContext()
        const run = transaction.executeQuery.bind(transaction)
        transaction.executeQuery = (...query: unknown[]) => {
          seen += 1
          return run(...query)
        }
        return unit(inner)
      }, more)
    return made
  }) as never
  try {
    return { result: await step(), seen }
  } finally {
    em.fork = fork
  }
}
