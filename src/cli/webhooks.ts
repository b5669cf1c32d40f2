import { Command } from 'commander'
import { untilInterrupted } from './interrupt.ts'
import { addServerAddress, baseOf } from './server-address.ts'
import type { ServerAddress } from './server-address.ts'
import { keyFor } from './server-key.ts'
import { requestServer } from '../client/clips/index.ts'
import { textTable } from './text-table.ts'

/** What the server says of one; openapi.yaml describes it. */
interface RemoteWebhook {
  id: string
  type: string
  url: string
  tries: number
  reason: string
  failedAt: string
}

export function webhooksCommand(): Command {
  return new Command('webhooks')
    .description('Webhooks that could not be delivered, and the secret that signs them.')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(resendCommand())
    .addCommand(secretCommand())
}

function listCommand(): Command {
  return addServerAddress(new Command('list').description('Webhooks that were given up, the last first.'))
    .option('--json', 'as JSON lines, as it is where the output is no terminal')
    .action(async ({ json, ...address }: ServerAddress & { json?: boolean }) => {
      const answer = await ask(address, 'v1/webhooks', 'GET')
      const { webhooks } = (await answer.json()) as { webhooks: RemoteWebhook[] }
      const isTable = json !== true && process.stdout.isTTY
      for (const line of isTable ? table(webhooks) : webhooks.map((one) => JSON.stringify(one)))
        console.log(line)
      if (webhooks.length === 0) console.error('No webhook was given up.')
    })
}

function resendCommand(): Command {
  return addServerAddress(new Command('resend').description('Send one again that was given up.'))
    .argument('<id>', 'as "leadline webhooks" shows it')
    .action(async (id: string, address: ServerAddress) => {
      await ask(address, `v1/webhooks/${encodeURIComponent(id)}/resend`, 'POST')
    })
}

function secretCommand(): Command {
  return addServerAddress(
    new Command('secret').description('Make the secret for the webhooks of a key, and print it, this once.')
  ).action(async (address: ServerAddress) => {
    const answer = await ask(address, 'v1/webhooks/secret', 'POST')
    const { secret, overlapMs } = (await answer.json()) as { secret: string; overlapMs: number }
    console.log(secret)
    console.error(`One made before signs beside it for ${overlapMs / 3_600_000} hours.`)
  })
}

async function ask(address: ServerAddress, path: string, method: 'GET' | 'POST'): Promise<Response> {
  const key = await keyFor(address)
  return untilInterrupted((signal) => requestServer(new URL(path, baseOf(address)), { method, key, signal }))
}

function table(webhooks: readonly RemoteWebhook[]): string[] {
  const rows = webhooks.map(({ id, type, tries, failedAt, url, reason }) => [
    ...[id, type, String(tries), failedAt, url, reason]
  ])
  return textTable(['webhook', 'type', 'tries', 'given up', 'address', 'reason'], rows)
}
