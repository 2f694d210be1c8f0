import DataLoader from 'dataloader'

/**
 * Shares look-ups between concurrent requests: keys asked for within one turn of the event loop go out as one
 * batch when the turn ends. Nothing is remembered, so every look-up still starts after its request arrived.
 */
export const shareLookups = <Key, Value>(
  load: (keys: readonly Key[]) => Promise<Value[]>,
  most = 500,
) =>
  new DataLoader<Key, Value>(load, {
    cache: false,
    maxBatchSize: most,
    batchScheduleFn: callback => void setImmediate(callback),
  })

/** Puts rows in the order of their keys; keys without a row get null. */
export function inOrder<Key, Row>(
  keys: readonly Key[],
  rows: Row[],
  keyOf: (row: Row) => Key,
): (Row | null)[] {
  const byKey = new Map(rows.map(row => [keyOf(row), row]))
  return keys.map(key => byKey.get(key) ?? null)
}
