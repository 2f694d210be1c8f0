/** A present that tests can move. */
export class TestClock {
  #shift = 0

  readonly now = (): Date => new Date(Date.now() + this.#shift)

  /** Lets time pass. */
  advance(by: { seconds?: number; minutes?: number; hours?: number; days?: number }): void {
    const { seconds = 0, minutes = 0, hours = 0, days = 0 } = by
    this.#shift += (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
  }

  /** Goes on to the beginning of the next minute: what is counted by the minute then falls into one. */
  beginMinute(): void {
    this.advance({ seconds: 60 - this.now().getSeconds() })
  }
}
