import type { TestServer } from './server.ts'

/** Counts the statements that transactions of a server run meanwhile, without what begins, enters and ends them. */
export async function statementsOf(
  { app }: TestServer,
  step: () => Promise<unknown>,
): Promise<number> {
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
    await step()
  } finally {
    store.begin = begin
  }
  return seen
}
