import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { readLetter, type Letter } from './letter.ts'

/** What becomes of a mail: taken, `451`, `550`, or no answer at all. */
export type Manner = 'take' | 'later' | 'refuse' | 'hang'

const REPLIES = { later: 451, refuse: 550 } as const

/** A mail server of the tests, which speaks real SMTP and can be told to behave badly. */
export class PostOffice {
  /** Mails that were accepted. */
  readonly letters: Letter[] = []
  /** Mails that were read in full and then refused. */
  readonly turnedAway: Letter[] = []
  /** Recipients in the order in which they were asked for, whatever became of them. */
  readonly asked: string[] = []
  /** Before anything was said. */
  greeting: 'well' | 'hang' = 'well'
  /** Recipients are answered by it. */
  onRecipient: (address: string) => Manner = () => 'take'
  /** Mails that have been read are answered by it; a text is what is said with `550`. */
  onMail: (letter: Letter) => Manner | { saying: string } = () => 'take'
  connections = 0
  port: number

  #server: SMTPServer | undefined

  /** @param port where it will listen once it is opened. */
  constructor(port: number) {
    this.port = port
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`
  }

  async open(): Promise<void> {
    const server = new SMTPServer({ ...this.#manners(), closeTimeout: 1 })
    // clients that give up tear their connections
    server.on('error', () => undefined)
    await new Promise<void>((resolve, reject) => {
      server.server.once('error', reject)
      server.listen(this.port, '127.0.0.1', () => resolve())
    })
    this.port = (server.server.address() as AddressInfo).port
    this.#server = server
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await new Promise<void>(resolve => (server ? server.close(() => resolve()) : resolve()))
  }

  /** Waits until `count` mails for an address were accepted. */
  async lettersTo(address: string, count = 1, patienceMs = 10_000): Promise<Letter[]> {
    const end = Date.now() + patienceMs
    for (;;) {
      const found = this.letters.filter(letter => letter.recipients.includes(address))
      if (found.length >= count) return found
      if (Date.now() > end)
        throw new Error(`${found.length} of ${count} mails arrived for ${address}`)
      await sleep(20)
    }
  }

  #manners(): SMTPServerOptions {
    return {
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      onConnect: (_session, done) => {
        this.connections += 1
        if (this.greeting === 'well') done()
      },
      onRcptTo: ({ address }, _session, done) => {
        this.asked.push(address)
        answer(this.onRecipient(address), done)
      },
      onData: (stream, { envelope }, done) => {
        const pieces: Buffer[] = []
        stream.on('data', (piece: Buffer) => pieces.push(piece))
        stream.on('end', () => {
          const recipients = envelope.rcptTo.map(({ address }) => address)
          const letter = readLetter(Buffer.concat(pieces).toString('latin1'), recipients)
          const manner = this.onMail(letter)
          ;(manner === 'take' ? this.letters : this.turnedAway).push(letter)
          answer(manner, done)
        })
      },
    }
  }
}

function answer(manner: Manner | { saying: string }, done: (error?: Error | null) => void): void {
  if (manner === 'hang') return
  if (manner === 'take') return done()
  const [responseCode, words] =
    typeof manner === 'object'
      ? [REPLIES.refuse, manner.saying]
      : [REPLIES[manner], 'not like this']
  done(Object.assign(new Error(words), { responseCode }))
}
