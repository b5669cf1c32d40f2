import { Command, InvalidArgumentError } from 'commander'
import { keyState, limitMeanings, mintKey, openKeyStore, parseLimit } from '../access/index.ts'
import { scopeMeanings, scopes, usualScopes } from '../access/index.ts'
import type { KeyLimits, KeyStore, Scope } from '../access/index.ts'
import { LeadlineError } from '../errors.ts'
import { webAddress } from '../machine/web-request.ts'
import { expiryOf } from './expiry.ts'
import { keyTable, toldOfKey } from './key-table.ts'
import { serviceCommand, serviceConfig, serviceLog } from './service-options.ts'
import type { ServiceOptions } from './service-options.ts'

interface CreateOptions extends ServiceOptions {
  scopes: Scope[]
  limit: KeyLimits
  webhook?: string
  /** Milliseconds since 1970. */
  expires?: number
}

export function keysCommand(): Command {
  return new Command('keys')
    .description('Who may use a server: keys, which its clients show.')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
}

function createCommand(): Command {
  return keyCommand('create', 'Make a key and print its value, which is not to be had again.')
    .argument('<name>', 'whose it is, for lists and logs', nameOf)
    .option('--scopes <list>', 'what it may do, with commas', scopesOf, [...usualScopes])
    .option('--expires <when>', '90d, 12h, 30m from now, or a date: 2027-01-31; default: never', expiryOf)
    .option('--limit <name=value>', 'how much it may use; once for each', withLimit, {})
    .option(
      '--webhook <address>',
      'told how its clips end, unless they name another: docs/webhooks.md',
      webhookOf
    )
    .addHelpText('after', `\nScopes:\n${told(scopeMeanings)}\n\nLimits:\n${told(limitMeanings)}`)
    .action((name: string, { scopes, limit: limits, webhook, expires, ...options }: CreateOptions) =>
      withKeys(options, async (keys) => {
        const nowMs = Date.now()
        await refuseTaken(keys, name, nowMs)
        const { key, value } = mintKey({ name, scopes, limits, webhook, expiresAtMs: expires ?? null }, nowMs)
        await keys.add(key)
        console.log(value)
        console.error(`Key "${name}" (${key.id}), shown this once. It may: ${scopes.join(', ')}.`)
      })
    )
}

function listCommand(): Command {
  return keyCommand('list', 'Keys with what they may do, one a line; never their values.')
    .option('--json', 'as JSON lines, as it is where the output is no terminal')
    .action(({ json, ...options }: ServiceOptions & { json?: boolean }) =>
      withKeys(options, async (store) => {
        const keys = await store.list()
        const told = keys.map((key) => toldOfKey(key, Date.now()))
        const isTable = json !== true && process.stdout.isTTY
        for (const line of isTable ? keyTable(told) : told.map((one) => JSON.stringify(one)))
          console.log(line)
        if (keys.length === 0) console.error('There is no key; make one with "leadline keys create NAME".')
      })
    )
}

function revokeCommand(): Command {
  return keyCommand('revoke', 'From now on a key opens nothing; its open streams end within 3 seconds.')
    .argument('<key>', 'its name or id')
    .action((nameOrId: string, options: ServiceOptions) =>
      withKeys(options, async (keys) => {
        const found = (await keys.list()).filter(({ id, name }) => id === nameOrId || name === nameOrId)
        const valid = found.filter((key) => keyState(key, Date.now()) === 'valid')
        const [key] = valid.length > 0 ? valid : found
        if (key === undefined)
          throw new LeadlineError(
            'CONFIG_INVALID',
            `There is no key "${nameOrId}"; "leadline keys list" has those there are`
          )
        await keys.revoke(key.id, Date.now())
      })
    )
}

/** With the options that say of which server. */
function keyCommand(name: string, description: string): Command {
  return serviceCommand(name, description, ['port', 'redis'])
}

async function withKeys(options: ServiceOptions, work: (keys: KeyStore) => Promise<void>): Promise<void> {
  const keys = await openKeyStore(serviceConfig(options), serviceLog('warn'))
  try {
    await work(keys)
  } finally {
    await keys.close()
  }
}

/** A name that is had twice could not be revoked by it. */
async function refuseTaken(keys: KeyStore, name: string, nowMs: number): Promise<void> {
  const taken = (await keys.list()).find((key) => key.name === name && keyState(key, nowMs) === 'valid')
  if (taken !== undefined)
    throw new LeadlineError(
      'CONFIG_INVALID',
      `There is a key "${name}" already; revoke it, or take another name`
    )
}

function nameOf(text: string): string {
  // It stands in lines of logs and tables.
  if (/^[^\p{C}\s](?:[^\p{C}]{0,62}[^\p{C}\s])?$/u.test(text)) return text
  throw new InvalidArgumentError('It must have 1 to 64 characters that can be seen.')
}

function scopesOf(text: string): Scope[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))]
  const wrong = names.find((name) => !scopes.some((scope) => scope === name))
  if (wrong === undefined) return names as Scope[]
  throw new InvalidArgumentError(`"${wrong}" is no scope; there are ${scopes.join(', ')}.`)
}

function webhookOf(text: string): string {
  try {
    return webAddress(text).href
  } catch (error) {
    throw new InvalidArgumentError(`"${text}" ${error instanceof Error ? error.message : String(error)}.`)
  }
}

function withLimit(text: string, others: KeyLimits): KeyLimits {
  const limit = parseLimit(text)
  if (limit !== null) return { ...others, ...limit }
  throw new InvalidArgumentError(
    `It must be as sessions=4, with a number above 0, or priority=0 to 9; there are ${Object.keys(limitMeanings).join(', ')}.`
  )
}

function told(meanings: Readonly<Record<string, string>>): string {
  return Object.entries(meanings)
    .map(([name, meaning]) => `  ${name.padEnd(19)} ${meaning}`)
    .join('\n')
}
