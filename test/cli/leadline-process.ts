import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface LeadlineProcess {
  child: ChildProcessWithoutNullStreams
  /** What it printed so far. */
  readonly stdout: string
  readonly stderr: string
  /** The first match in what it prints on stdout, now or later; fails if it ends without. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>
  exited: Promise<number | null>
}

/** The command line of `leadline`, from source. */
const leadline = [process.execPath, '--require', './src/thread-pool.cjs', '--import', 'tsx', 'src/cli.ts']
const npm = ['npm', 'run', '--silent', 'leadline', '--']

/** `leadline` as a process of its own, on the fake executor. Gone when the test is. */
export function startLeadline(args: readonly string[], env: NodeJS.ProcessEnv = {}): LeadlineProcess {
  return startProcess([...leadline, ...args], env)
}

/** The same as people type it. */
export function startByNpm(args: readonly string[], env: NodeJS.ProcessEnv = {}): LeadlineProcess {
  return startProcess([...npm, ...args], env)
}

/** A command in a terminal, where stdin is typed, and which is closed when stdin is. Prints last how the command ended. */
export function startInTerminal(
  args: readonly string[],
  { by = 'node', ...env }: NodeJS.ProcessEnv & { by?: 'node' | 'npm' } = {}
): LeadlineProcess {
  const inTerminal = fileURLToPath(new URL('./in-terminal.py', import.meta.url))
  return startProcess(['python3', inTerminal, ...(by === 'npm' ? npm : leadline), ...args], env)
}

/** Under a limit of the shell's, such as `-f 512`. */
export function startWithin(
  limit: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {}
): LeadlineProcess {
  return startProcess(['bash', '-c', `ulimit ${limit} && exec "$@"`, 'bash', ...leadline, ...args], env)
}

/** In the project's folder. */
function startProcess(command: readonly string[], env: NodeJS.ProcessEnv = {}): LeadlineProcess {
  const { REDIS_URL: _, ...inherited } = process.env
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    cwd: root,
    env: { ...inherited, LEADLINE_EXECUTOR: 'fake', LEADLINE_LAME_DUCK_MS: '0', ...env },
    stdio: ['pipe', 'pipe', 'pipe']
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  // Its output may come after its end.
  let isOver = false
  const exited = once(child, 'close').then(([code]) => {
    isOver = true
    return code as number | null
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return {
    child,
    exited,
    get stdout() {
      return output.stdout
    },
    get stderr() {
      return output.stderr
    },
    async printed(pattern) {
      for (;;) {
        const match = pattern.exec(output.stdout)
        if (match !== null) return match
        if (isOver) throw new Error(`it ended without printing ${pattern}: ${output.stdout}${output.stderr}`)
        await Promise.race([once(child.stdout, 'data'), exited])
      }
    }
  }
}

/** Start a service and wait for its address. */
export async function startListening(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {}
): Promise<LeadlineProcess & { url: string }> {
  const started = startLeadline(args, { LEADLINE_PORT: '0', ...env })
  const [, url = ''] = await started.printed(/listening: (http:\S+)/)
  return Object.assign(started, { url })
}

/** The JSON of the last line printed. */
export function lastLine(stdout: string): unknown {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}
