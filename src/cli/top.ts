import { setTimeout as wait } from 'node:timers/promises'
import { Command } from 'commander'
import { LeadlineError } from '../errors.ts'
import { describeFailure } from './failure.ts'
import { untilInterrupted } from './interrupt.ts'
import { positiveNumber } from './positive-number.ts'
import { workersOf } from './remote-workers.ts'
import { addServerAddress, baseOf } from './server-address.ts'
import type { ServerAddress, Shown } from './server-address.ts'
import { keyFor } from './server-key.ts'
import { requestServer } from '../client/clips/index.ts'
import { overviewOf } from './top/overview.ts'
import type { Look } from './top/overview.ts'
import { Scrape } from './top/scrape.ts'
import { screenOf } from './top/screen.ts'

interface TopOptions extends ServerAddress {
  interval: number
  once?: boolean
  json?: boolean
}

/** To the first place of a screen, and what stands there goes. */
const clearScreen = '\u001B[H\u001B[2J'

export function topCommand(): Command {
  return addServerAddress(
    new Command('top').description(
      'Live: workers, devices, sessions, memory, frames a second, latency, continuity. Wants a key with scope admin.'
    )
  )
    .option('--interval <seconds>', 'between two refreshes', positiveNumber, 2)
    .option('--once', 'look once and end')
    .option('--json', 'one JSON document for each refresh, as it is where the output is no terminal')
    .addHelpText(
      'after',
      '\nExamples:\n  leadline top\n  leadline top --url http://host:8042 --once | jq .total'
    )
    .action(async ({ interval, once = false, json = false, ...address }: TopOptions) => {
      const [base, key] = [baseOf(address), await keyFor(address)]
      const isScreen = !json && process.stdout.isTTY
      let before: Look | null = null
      await untilInterrupted(async (signal) => {
        for (;;) {
          const look: Look | null = await lookAt(base, { key, signal }).catch((error: unknown) =>
            // A server that is started anew comes back; one that was never there does not.
            before === null || signal.aborted ? Promise.reject(error) : sayLost(error, { isScreen })
          )
          if (look) {
            const overview = overviewOf(look, before)
            const lines = isScreen ? screenOf(overview, base.origin) : [JSON.stringify(overview)]
            process.stdout.write(`${isScreen && !once ? clearScreen : ''}${lines.join('\n')}\n`)
            before = look
          }
          if (once) return
          await wait(interval * 1000, undefined, { signal })
        }
      })
    })
}

async function lookAt(base: URL, shown: Shown): Promise<Look> {
  const [workers, metrics] = await Promise.all([
    workersOf(base, shown),
    requestServer(new URL('metrics', base), shown).then((response) => response.text())
  ])
  const missing = await missingOf(base, shown.signal)
  return { atMs: Date.now(), workers, scrape: new Scrape(metrics), missing }
}

/** That it is not ready is an answer, too. */
async function missingOf(base: URL, signal: AbortSignal): Promise<string[]> {
  const response = await fetch(new URL('readyz', base), { signal })
  const { missing = [] } = (await response.json()) as { missing?: string[] }
  return missing
}

function sayLost(error: unknown, { isScreen }: { isScreen: boolean }): null {
  const reason = describeFailure(error)
  const code = error instanceof LeadlineError ? error.code : 'CONNECTION_LOST'
  const line = isScreen
    ? reason
    : JSON.stringify({ at: new Date().toISOString(), error: { code, detail: reason } })
  process.stdout.write(`${line}\n`)
  return null
}
