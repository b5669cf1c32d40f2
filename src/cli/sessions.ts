import { Command } from 'commander'
import { untilInterrupted } from './interrupt.ts'
import { addServerAddress, baseOf } from './server-address.ts'
import type { ServerAddress, Shown } from './server-address.ts'
import { keyFor } from './server-key.ts'
import { requestServer } from '../client/clips/index.ts'
import { sessionTable } from './session-table.ts'
import type { RemoteSession } from './session-table.ts'

export function sessionsCommand(): Command {
  return new Command('sessions')
    .description('The sessions of a server and of all that share its Redis.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(endCommand())
}

function listCommand(): Command {
  return addServerAddress(new Command('list').description('Sessions that are open or kept, one a line.'))
    .option('--json', 'as JSON lines, as it is where the output is no terminal')
    .action(async ({ json, ...address }: ServerAddress & { json?: boolean }) => {
      const key = await keyFor(address)
      const sessions = await untilInterrupted((signal) => everySession(baseOf(address), { key, signal }))
      const isTable = json !== true && process.stdout.isTTY
      for (const line of isTable
        ? sessionTable(sessions, Date.now())
        : sessions.map((one) => JSON.stringify(one)))
        console.log(line)
      if (sessions.length === 0) console.error('There is no session.')
    })
}

function endCommand(): Command {
  return addServerAddress(new Command('end').description('End a session; its client is told.'))
    .argument('<id>', 'as "leadline sessions" shows it')
    .action(async (id: string, address: ServerAddress) => {
      const url = new URL(`v1/sessions/${encodeURIComponent(id)}`, baseOf(address))
      const key = await keyFor(address)
      await untilInterrupted((signal) => requestServer(url, { method: 'DELETE', key, signal }))
    })
}

async function everySession(base: URL, shown: Shown): Promise<RemoteSession[]> {
  const sessions: RemoteSession[] = []
  const url = new URL('v1/sessions?limit=1000', base)
  for (;;) {
    const response = await requestServer(url, shown)
    const page = (await response.json()) as { sessions: RemoteSession[]; cursor: string | null }
    sessions.push(...page.sessions)
    if (page.cursor === null) return sessions
    url.searchParams.set('cursor', page.cursor)
  }
}
