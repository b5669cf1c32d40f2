import { Command } from 'commander'
import { untilInterrupted } from './interrupt.ts'
import { addServerAddress, baseOf } from './server-address.ts'
import type { ServerAddress } from './server-address.ts'
import { keyFor } from './server-key.ts'
import { requestServer } from '../client/clips/index.ts'
import { usageCsv, usageTable } from './usage-table.ts'
import type { RemoteUsage } from './usage-table.ts'

interface UsageOptions extends ServerAddress {
  from?: string
  to?: string
  of?: string
  json?: boolean
  csv?: boolean
}

export function usageCommand(): Command {
  return addServerAddress(
    new Command('usage').description(
      'What was used of a server, and of all that share its Redis, by key and day.'
    )
  )
    .option('--from <day>', 'first day of UTC, such as 2026-01-31; default: 29 days before the last')
    .option('--to <day>', 'last day, which is among them; default: today')
    .option('--of <key>', 'id of one key, or anonymous; default: with scope admin all, else the own')
    .option('--csv', 'as CSV')
    .option('--json', 'as JSON lines, as it is where the output is no terminal')
    .action(async ({ from, to, of, json, csv, ...address }: UsageOptions) => {
      const url = new URL('v1/usage', baseOf(address))
      for (const [name, value] of Object.entries({ from, to, key: of }))
        if (value !== undefined) url.searchParams.set(name, value)
      const key = await keyFor(address)
      const response = await untilInterrupted((signal) => requestServer(url, { key, signal }))
      const { usage } = (await response.json()) as { usage: RemoteUsage[] }
      const isTable = json !== true && process.stdout.isTTY
      for (const line of csv === true ? usageCsv(usage) : isTable ? usageTable(usage) : usage.map(jsonOf))
        console.log(line)
      if (usage.length === 0) console.error('Nothing was used on these days.')
    })
}

function jsonOf(usage: RemoteUsage): string {
  return JSON.stringify(usage)
}
