import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

// Loaded into the profiled server before its own code: SIGUSR2 begins a profile, and ends it the next time.

const EVERY_MICROSECONDS = 200
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.setSamplingInterval', { interval: EVERY_MICROSECONDS })

let running = false
let count = 0
process.on('SIGUSR2', () => void toggle())

async function toggle(): Promise<void> {
  running = !running
  if (running) return session.post('Profiler.start')
  const { profile } = await session.post('Profiler.stop')
  writeFileSync(`${process.env.PROFILE}.${++count}`, JSON.stringify(profile))
}
