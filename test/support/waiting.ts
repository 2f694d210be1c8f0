import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until something holds, and looks again and again. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  patienceMs = 15_000,
  everyMs = 25,
): Promise<void> {
  const end = Date.now() + patienceMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not come to pass')
    await sleep(everyMs)
  }
}

/** A loopback port that is free right now. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise(resolve => probe.close(resolve))
  return port
}
