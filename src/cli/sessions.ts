import { Command } from 'commander'
import { serverUrl } from '../client/index.ts'
import { untilInterrupted } from './interrupt.ts'
import { addKeyFile, keyFor } from './server-key.ts'
import type { KeyOption } from './server-key.ts'
import { requestServer } from './server-request.ts'
import type { ServerRequest } from './server-request.ts'
import { serviceConfig } from './service-options.ts'
import { sessionTable } from './session-table.ts'
import type { RemoteSession } from './session-table.ts'

interface Address extends KeyOption {
  url?: string
}

export function sessionsCommand(): Command {
  return new Command('sessions')
    .description('The sessions of a server and of all that share its Redis.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(endCommand())
}

function listCommand(): Command {
  return addAddress(new Command('list').description('Sessions that are open or kept, one a line.'))
    .option('--json', 'as JSON lines, as it is where the output is no terminal')
    .action(async ({ json, ...address }: Address & { json?: boolean }) => {
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
  return addAddress(new Command('end').description('End a session; its client is told.'))
    .argument('<id>', 'as "leadline sessions" shows it')
    .action(async (id: string, address: Address) => {
      const url = new URL(`v1/sessions/${encodeURIComponent(id)}`, baseOf(address))
      const key = await keyFor(address)
      await untilInterrupted((signal) => requestServer(url, { method: 'DELETE', key, signal }))
    })
}

function addAddress(command: Command): Command {
  return addKeyFile(
    command.option('--url <address>', 'of the server; default: the one of this machine (LEADLINE_PORT)')
  )
}

function baseOf({ url }: Address): URL {
  return serverUrl(url ?? `http://127.0.0.1:${serviceConfig({}).port}`)
}

async function everySession(
  base: URL,
  shown: Pick<ServerRequest, 'key' | 'signal'>
): Promise<RemoteSession[]> {
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
