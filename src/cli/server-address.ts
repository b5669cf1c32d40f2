import type { Command } from 'commander'
import { serverUrl } from '../client/index.ts'
import { addKeyFile } from './server-key.ts'
import type { KeyOption } from './server-key.ts'
import { serviceConfig } from './service-options.ts'

/** Which running server a command is about, and what it is shown. */
export interface ServerAddress extends KeyOption {
  url?: string
}

/** With a request to it. */
export interface Shown {
  key: string | null
  signal: AbortSignal
}

export function addServerAddress(command: Command): Command {
  return addKeyFile(
    command.option(
      '--url <address>',
      'of the server, host:port or http(s)://…; default: the one of this machine (LEADLINE_PORT)'
    )
  )
}

export function baseOf({ url }: ServerAddress): URL {
  return serverUrl(url ?? `http://127.0.0.1:${serviceConfig({}).port}`)
}
