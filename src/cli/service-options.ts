import { Command, Option } from 'commander'
import type { Logger } from 'pino'
import { destination, pino } from 'pino'
import type { Config } from '../config.ts'
import { loadConfig } from '../config.ts'
import { LeadlineError } from '../errors.ts'
import { logLine } from './log-line.ts'
import { logSerializers } from './log-serializers.ts'

/** Options that stand for environment variables, and win over them. */
const variables = {
  host: 'LEADLINE_HOST',
  port: 'LEADLINE_PORT',
  model: 'LEADLINE_MODEL',
  redis: 'REDIS_URL',
  threads: 'LEADLINE_THREADS',
  warmup: 'LEADLINE_WARMUP',
  warmupModes: 'LEADLINE_WARMUP_MODES',
  insecure: 'LEADLINE_AUTH'
} as const
type ServiceOption = keyof typeof variables
export type ServiceOptions = Partial<Record<ServiceOption, string>>

const flags: Record<ServiceOption, [string, string]> = {
  host: ['--host <address>', 'address to listen on (LEADLINE_HOST)'],
  port: ['--port <number>', 'port to listen on, 0 for any free one (LEADLINE_PORT)'],
  model: ['--model <name>', 'model of sessions that name none (LEADLINE_MODEL)'],
  redis: ['--redis <url>', 'Redis that gateways and workers share (REDIS_URL)'],
  threads: ['--threads <number>', 'threads of the executor (LEADLINE_THREADS)'],
  warmup: [
    '--warmup [sizes]',
    'load every model before the start, for frames of these sizes: 1920x1080,640x480 (LEADLINE_WARMUP)'
  ],
  warmupModes: ['--warmup-modes <modes>', 'for these modes: ovda,ovda:8,single (LEADLINE_WARMUP_MODES)'],
  insecure: ['--insecure', 'ask nobody for a key (LEADLINE_AUTH=off)']
}

/** Of an option without a value. Most cameras give 16:9, and the network's size follows from that alone. */
const presets: Partial<Record<ServiceOption, string>> = { warmup: '1920x1080', insecure: 'off' }

/** A command of a service, with the options it takes. */
export function serviceCommand(
  name: string,
  description: string,
  options: readonly ServiceOption[]
): Command {
  const command = new Command(name).description(description)
  for (const option of options) command.addOption(new Option(...flags[option]).preset(presets[option]))
  return command.addHelpText(
    'after',
    '\nEvery setting is an environment variable; .env.example lists them all.'
  )
}

/** The configuration from the environment and the options over it. Throws CONFIG_INVALID. */
export function serviceConfig(options: ServiceOptions, overrides: Partial<Config> = {}): Config {
  const environment = { ...process.env }
  for (const [option, variable] of Object.entries(variables)) {
    const value = options[option as ServiceOption]
    if (value !== undefined) environment[variable] = value
  }
  try {
    return { ...loadConfig(environment), ...overrides }
  } catch (cause) {
    const reason = explain(cause, { options, environment })
    throw new LeadlineError('CONFIG_INVALID', `${reason}; see .env.example for what may be set`, { cause })
  }
}

/** What is wrong first: which variable, or option by which it was given, with which value, and what would be right. */
function explain(
  cause: unknown,
  { options, environment }: { options: ServiceOptions; environment: NodeJS.ProcessEnv }
): string {
  const [finding] = findingsIn(cause)
  if (finding === undefined) return cause instanceof Error ? cause.message : String(cause)
  const variable = finding.instancePath.slice(1)
  const option = (Object.keys(variables) as ServiceOption[]).find((name) => variables[name] === variable)
  const isTyped = option !== undefined && options[option] !== undefined
  const name = isTyped ? flags[option][0].split(' ', 1)[0] : variable
  const { allowedValues } = finding.params
  const wanted = allowedValues === undefined ? finding.message : `must be one of ${allowedValues.join(', ')}`
  return `${name} is "${environment[variable]}"; it ${wanted}`
}

/** Of Ajv, as env-schema passes them on. */
interface Finding {
  instancePath: string
  params: { allowedValues?: readonly string[] }
  message: string
}

function findingsIn(cause: unknown): readonly Finding[] {
  return cause instanceof Error && 'errors' in cause ? (cause.errors as Finding[]) : []
}

/** The same for a gateway or a worker alone. Throws CONFIG_INVALID without a Redis. */
export function sharedServiceConfig(options: ServiceOptions): Config {
  const config = serviceConfig(options)
  if (config.redisUrl !== null) return config
  throw new LeadlineError(
    'CONFIG_INVALID',
    'gateways and workers meet in Redis, and REDIS_URL is empty; set it (redis://host:6379), or run "leadline serve", which needs none'
  )
}

/** Lines that wait for a disk that is full, in bytes; more are dropped. */
const maxUnwrittenBytes = 2 ** 20

/**
 * On stderr, since stdout is for what a command has to say: JSON lines, or lines for people where that is a terminal. Lost
 * where they cannot be written.
 */
export function serviceLog(level: string): Logger {
  const stderr = destination({ fd: 2, sync: true, maxLength: maxUnwrittenBytes })
  stderr.on('error', () => undefined)
  return pino(
    { level, serializers: logSerializers },
    process.stderr.isTTY ? { write: (json) => void stderr.write(`${logLine(json)}\n`) } : stderr
  )
}
