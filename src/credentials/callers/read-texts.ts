const MOST_TEXTS = 5_000

/**
 * Reads texts that arrive again and again, such as the row of a role that many callers hold, and shares what it made
 * of them. Nothing about a caller is remembered: each text has just come from the database, and only equal ones share.
 */
export class ReadTexts<Value> {
  readonly #read: (text: string) => Value
  readonly #known = new Map<string, { text: string; value: Value }>()

  /** @param read makes a value that nobody changes. */
  constructor(read: (text: string) => Value) {
    this.#read = read
  }

  /** @param id of the row that the text is of. To look the text itself up, all of it would have to be hashed. */
  read(id: string, text: string): Value {
    const known = this.#known.get(id)
    if (known?.text === text) return known.value
    if (this.#known.size >= MOST_TEXTS) this.#known.clear()
    const value = this.#read(text)
    this.#known.set(id, { text, value })
    return value
  }
}
