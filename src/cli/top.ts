import { setTimeout as wait } from 'node:timers/promises'
import { Command } from 'commander'
import { LeadlineError } from '../errors.ts'
import { describeFailure } from './failure.ts'
import { untilInterrupted } from './interrupt.ts'
import { positiveNumber } from './positive-number.ts'
import { baseOf } from './server-address.ts'
import { addKeyFile, keyFor } from './server-key.ts'
import type { KeyOption } from './server-key.ts'
import { lookAt } from './top/look.ts'
import { overviewOf } from './top/overview.ts'
import type { Look } from './top/overview.ts'
import { screenOf } from './top/screen.ts'

interface TopOptions extends KeyOption {
  url?: string[]
  interval: number
  once?: boolean
  json?: boolean
}

/** To the first place of a screen, and what stands there goes. */
const clearScreen = '\u001B[H\u001B[2J'

export function topCommand(): Command {
  return addKeyFile(
    new Command('top')
      .description(
        'Live: workers, devices, sessions, memory, frames a second, latency, continuity. Wants a key with scope admin.'
      )
      .option(
        '--url <address>',
        'of a gateway, once for each of them; default: the server of this machine (LEADLINE_PORT)',
        (address: string, others: string[] = []) => [...others, address]
      )
  )
    .option('--interval <seconds>', 'between two refreshes', positiveNumber, 2)
    .option('--once', 'look once and end')
    .option('--json', 'one JSON document for each refresh, as it is where the output is no terminal')
    .action(async ({ interval, once = false, json = false, url, ...options }: TopOptions) => {
      const bases = url === undefined ? [baseOf({})] : url.map((address) => baseOf({ url: address }))
      const key = await keyFor(options)
      const isScreen = !json && process.stdout.isTTY
      let before: Look | null = null
      await untilInterrupted(async (signal) => {
        for (;;) {
          const look: Look | null = await lookAt(bases, { key, signal }).catch((error: unknown) =>
            // A server that is started anew comes back; one that was never there does not.
            before === null || signal.aborted ? Promise.reject(error) : sayLost(error, { isScreen })
          )
          if (look) {
            const overview = overviewOf(look, before)
            const lines = isScreen ? screenOf(overview) : [JSON.stringify(overview)]
            process.stdout.write(`${isScreen && !once ? clearScreen : ''}${lines.join('\n')}\n`)
            before = look
          }
          if (once) return
          await wait(interval * 1000, undefined, { signal })
        }
      })
    })
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
