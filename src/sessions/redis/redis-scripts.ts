import { readdirSync, readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { LeadlineError } from '../../errors.ts'

type ScriptArgument = string | number | Buffer
type ScriptCommand = (...values: ScriptArgument[]) => Promise<unknown>

const sessionScripts = new URL('./scripts/', import.meta.url)

/**
 * The atomic changes: one Lua file each, `<name>-<number of keys>.lua`, whose header tells its keys, arguments and
 * output. A line `-- include <part>` stands for shared/<part>.lua. The build copies the folder beside the compiled code.
 */
export class RedisScripts {
  readonly #commands: ReadonlyMap<string, ScriptCommand>
  readonly #folder: URL

  /** `folder` ends with a slash. */
  constructor(redis: Redis, folder: URL = sessionScripts) {
    this.#folder = folder
    const commands = new Map<string, ScriptCommand>()
    for (const { name, lua, numberOfKeys } of sources(folder)) {
      redis.defineCommand(name, { lua, numberOfKeys })
      const command = (redis as unknown as Record<string, ScriptCommand>)[name]
      if (command) commands.set(name, command.bind(redis))
    }
    this.#commands = commands
  }

  run(name: string, keys: readonly string[], values: readonly ScriptArgument[]): Promise<unknown> {
    const command = this.#commands.get(name)
    if (!command)
      throw new LeadlineError(
        'INTERNAL',
        `There is no script "${name}" in ${this.#folder.pathname}; build it again`
      )
    return command(...keys, ...values)
  }
}

function* sources(folder: URL): Generator<{ name: string; lua: string; numberOfKeys: number }> {
  for (const file of readdirSync(folder)) {
    const [, name, keys] = /^(\w+)-(\d+)\.lua$/.exec(file) ?? []
    if (name === undefined) continue
    const lua = read(folder, file).replace(/^-- include (\w+)$/gm, (_, part: string) =>
      read(folder, `shared/${part}.lua`)
    )
    yield { name, lua, numberOfKeys: Number(keys) }
  }
}

function read(folder: URL, file: string): string {
  return readFileSync(new URL(file, folder), 'utf8')
}
