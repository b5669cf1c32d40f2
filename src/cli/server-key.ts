import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { LeadlineError } from '../errors.ts'
import { serviceConfig } from './service-options.ts'

export interface KeyOption {
  keyFile?: string | undefined
}

/** The key is no option by itself: whoever lists the processes of a machine reads their options. */
export function addKeyFile(command: Command): Command {
  return command.option('--key-file <file>', 'a file with the key for the server; default: LEADLINE_KEY')
}

/** The key that a command shows to a server; null: none. Throws CONFIG_INVALID, without the value. */
export async function keyFor({ keyFile }: KeyOption): Promise<string | null> {
  if (keyFile === undefined) return checked(serviceConfig({}).key, 'LEADLINE_KEY')
  const text = await readFile(keyFile, 'utf8').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LeadlineError('CONFIG_INVALID', `--key-file ${keyFile} cannot be read: ${reason}`, { cause })
  })
  return checked(text.trim() || null, keyFile)
}

/** As a header can have it (RFC 6750, 2.1). */
function checked(key: string | null, where: string): string | null {
  if (key === null || /^[\w.~+/-]+=*$/.test(key)) return key
  throw new LeadlineError(
    'CONFIG_INVALID',
    `${where} does not hold a key; it is as "leadline keys create" printed it, lk_…`
  )
}
