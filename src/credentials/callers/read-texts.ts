const MOST_TEXTS = 5_000

/**
 * Reads texts that arrive again and again, such as the row of a role that many callers hold, and shares what it made
 * of them. Nothing about a caller is remembered: each text has just come from the database, and only equal ones share.
 */
export class ReadTexts<Value> {
  readonly #read: (text: string) => Value
  readonly #known = new Map<string, Value>()

  /** @param read makes a value that nobody changes. */
  constructor(read: (text: string) => Value) {
    this.#read = read
  }

  read(text: string): Value {
    let value = this.#known.get(text)
    if (value === undefined) {
      if (this.#known.size >= MOST_TEXTS) this.#known.clear()
      this.#known.set(text, (value = this.#read(text)))
    }
    return value
  }
}
