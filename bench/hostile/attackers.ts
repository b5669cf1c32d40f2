/**
 * Attackers in a process of their own: `attackers.ts TARGETS COUNT [KIND]`, targets as JSON, of which each takes one; tells
 * how each attack ended, until it is told to stop.
 */
import { setMaxListeners } from 'node:events'
import { getPriority, setPriority } from 'node:os'
import { attacks } from './attacks.ts'
import type { Target } from './attacks.ts'

export interface Ended {
  attack: string
  end: string
}

// What the attackers themselves compute is no load of the server: on a machine of two cores it would be measured along.
setPriority(Math.min(19, getPriority() + 10))
const [, , targetsJson = '', count = '', only] = process.argv
const targets = JSON.parse(targetsJson) as Target[]
const stop = new AbortController()
setMaxListeners(0, stop.signal)
process.on('message', () => stop.abort())
process.on('disconnect', () => process.exit(0))
const kinds = Object.entries(attacks).filter(([name]) => only === undefined || name === only)

async function attackAgainAndAgain(i: number): Promise<void> {
  const [attack, { begin }] = kinds[i % kinds.length]!
  const target = targets[i % targets.length]!
  while (!stop.signal.aborted) {
    const end = await begin(target, stop.signal)
    process.send?.({ attack, end } satisfies Ended)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const attacking = Array.from({ length: Number(count) }, (_, i) => attackAgainAndAgain(i))
process.send?.('begun')
await Promise.all(attacking)
process.disconnect()
