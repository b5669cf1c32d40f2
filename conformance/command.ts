import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Target } from './bench.ts'
import type { Wishes } from './conform.ts'
import { clauses } from './contract.ts'

export const usage = `npm run conformance -- HOST:PORT [options]

Holds a server, whoever made it, to PROTOCOL.md: a line for each clause, JSON where the output is piped; exit code 1 if one
does not hold. It opens some 150 short sessions, two at a time at most.

  --key-file FILE   a file with the key for the server; default: LEADLINE_KEY
  --model NAME      default: the server's
  --only C5,M3      these clauses alone
  --slow            also what waits for the server's own limits, which may be minutes
  --patience S      for whatever is due, in seconds; default 30, with --slow 120
  --json            JSON on a terminal too

npm run conformance -- 127.0.0.1:8042
LEADLINE_KEY=lk_… npm run --silent conformance -- wss://depth.example.com | jq`

/** The command line is not one. */
export class Misuse extends Error {}

export interface Command {
  target: Target
  wishes: Wishes
  isJson: boolean
}

/** What a command line asks for; null: the usage. Throws Misuse, and what keeps the key file from being read. */
export async function commandOf(args: readonly string[]): Promise<Command | null> {
  const { values, positionals } = read(args)
  if (values.help === true) return null
  const isSlow = values.slow === true
  return {
    target: {
      url: streamUrl(positionals),
      key: await keyOf(values['key-file']),
      model: values.model ?? null,
      patienceMs: 1000 * seconds(values.patience ?? (isSlow ? '120' : '30'))
    },
    wishes: { only: clausesOf(values.only), isSlow },
    isJson: values.json === true
  }
}

function read(args: readonly string[]) {
  const string = { type: 'string' } as const
  const boolean = { type: 'boolean' } as const
  const options = { 'key-file': string, model: string, only: string, patience: string, slow: boolean }
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...options, json: boolean, help: boolean }
    })
  } catch (error) {
    throw new Misuse((error as Error).message)
  }
}

/** Of a server, or of its stream; `host:port` alone is a server too. */
function streamUrl([given = '', ...more]: string[]): URL {
  const text = given.trim()
  const whole = /^[^\s/?#@:[\]\\]+(:\d+)?([/?#]|$)|^\[/.test(text) ? `ws://${text}` : text
  if (!/^(ws|http)s?:\/\/./i.test(whole) || !URL.canParse(whole) || more.length > 0)
    throw new Misuse(`name one server, such as 127.0.0.1:8042; got "${[given, ...more].join(' ')}"`)
  const url = new URL(whole)
  url.protocol = url.protocol.replace('http', 'ws')
  if (!url.pathname.endsWith('/v1/stream')) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/stream`
  return url
}

async function keyOf(file: string | undefined): Promise<string | null> {
  const text = file === undefined ? process.env.LEADLINE_KEY : await readFile(file, 'utf8')
  return text?.trim() || null
}

function seconds(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new Misuse(`--patience is ${text}; it must be a number of seconds above 0`)
  return number
}

function clausesOf(text: string | undefined): string[] {
  const names = text?.split(',').map((name) => name.trim()) ?? []
  const unknown = names.find((name) => !clauses.includes(name))
  if (unknown === undefined) return names
  throw new Misuse(
    `--only names ${unknown}, which is no clause of PROTOCOL.md; they are ${clauses.join(', ')}`
  )
}
