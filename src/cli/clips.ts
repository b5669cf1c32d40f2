import { Command, Option } from 'commander'
import { clipTable } from './clip-table.ts'
import type { ListedClip } from './clip-table.ts'
import { untilInterrupted } from './interrupt.ts'
import type { ServerAddress, Shown } from './server-address.ts'
import { addServerAddress, baseOf } from './server-address.ts'
import { keyFor } from './server-key.ts'
import { requestServer } from '../client/clips/index.ts'

const states = ['queued', 'running', 'done', 'failed', 'cancelled'] as const

interface ListOptions extends ServerAddress {
  state?: string
  json?: boolean
}

export function clipsCommand(): Command {
  return new Command('clips')
    .description('The clips of a server and of all that share its Redis.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(
      endCommand({ name: 'cancel', description: 'Stop a clip; that it was there is kept.', method: 'POST' })
    )
    .addCommand(
      endCommand({ name: 'delete', description: 'Delete a clip and its results.', method: 'DELETE' })
    )
}

function listCommand(): Command {
  return addServerAddress(new Command('list').description('Clips, newest first, one a line.'))
    .addOption(new Option('--state <state>', 'those alone; default: all').choices(states))
    .option('--json', 'as JSON lines, as it is where the output is no terminal')
    .action(async ({ json, state, ...address }: ListOptions) => {
      const key = await keyFor(address)
      const clips = await untilInterrupted((signal) => everyClip(baseOf(address), state, { key, signal }))
      const isTable = json !== true && process.stdout.isTTY
      for (const line of isTable ? clipTable(clips, Date.now()) : clips.map((one) => JSON.stringify(one)))
        console.log(line)
      if (clips.length === 0) console.error('There is no clip.')
    })
}

function endCommand({
  name,
  description,
  method
}: {
  name: 'cancel' | 'delete'
  description: string
  method: string
}): Command {
  return addServerAddress(new Command(name).description(description))
    .argument('<id>', 'as "leadline clips" shows it')
    .action(async (id: string, address: ServerAddress) => {
      const path = `v1/clips/${encodeURIComponent(id)}${name === 'cancel' ? '/cancel' : ''}`
      const key = await keyFor(address)
      await untilInterrupted((signal) =>
        requestServer(new URL(path, baseOf(address)), { method, key, signal })
      )
    })
}

async function everyClip(base: URL, state: string | undefined, shown: Shown): Promise<ListedClip[]> {
  const clips: ListedClip[] = []
  const url = new URL('v1/clips?limit=200', base)
  if (state !== undefined) url.searchParams.set('state', state)
  for (;;) {
    const response = await requestServer(url, shown)
    const page = (await response.json()) as { clips: ListedClip[]; cursor: string | null }
    clips.push(...page.clips)
    if (page.cursor === null) return clips
    url.searchParams.set('cursor', page.cursor)
  }
}
