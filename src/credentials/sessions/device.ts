import Bowser from 'bowser'

/** A readable guess at a device, such as `Firefox on Linux`: for people to recognise, never to decide by. */
export function deviceOf(userAgent: string | null): string {
  if (!userAgent) return 'Unknown device'
  const { browser, os } = Bowser.parse(userAgent)
  const program = browser.name || userAgent.split(/[\s/]/)[0] || 'Unknown program'
  return os.name ? `${program} on ${os.name}` : program
}
