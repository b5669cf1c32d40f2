import { vi } from 'vitest'
import { reportFailure } from '../../src/cli/failure.ts'
import { buildProgram } from '../../src/cli/program.ts'

export interface Parsed {
  stdout: string
  stderr: string
  exitCode: number
}

/** Run a command in this process: what it printed and how it would exit. For commands that end by themselves. */
export async function parse(args: readonly string[]): Promise<Parsed> {
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => ((printed[name] += String(text)), true))
  }
  vi.spyOn(console, 'log').mockImplementation((text: string) => void (printed.stdout += `${text}\n`))
  vi.spyOn(console, 'error').mockImplementation((text: string) => void (printed.stderr += `${text}\n`))
  try {
    await buildProgram().parseAsync(args, { from: 'user' })
    return { ...printed, exitCode: 0 }
  } catch (error) {
    const exitCode = reportFailure(error)
    return { ...printed, exitCode }
  } finally {
    vi.restoreAllMocks()
  }
}
