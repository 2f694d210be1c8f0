import type { TestServer } from './server.ts'

/** Counts the statements that the transactions of a step take, and brings what it came to. */
export async function countStatements<Result>(
  { app }: TestServer,
  step: () => Promise<Result>,
): Promise<{ seen: number; result: Result }> {
  const { store } = app.node.database
  const begin = store.begin.bind(store)
  let seen = 0
  store.begin = async script => {
    const connection = await begin(script)
    const rows = connection.rows.bind(connection)
    connection.rows = query => {
      seen += 1
      return rows(query)
    }
    return connection
  }
  try {
    return { result: await step(), seen }
  } finally {
    store.begin = begin
  }
}
