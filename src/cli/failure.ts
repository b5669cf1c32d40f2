import { CommanderError } from 'commander'
import { LeadlineError } from '../errors.ts'
import { signalExitCode, type StopSignal } from './stop-signals.ts'

/** Thrown when the user pressed Ctrl-C or the like: nothing to say, the shell knows. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly signal: StopSignal

  constructor(signal: StopSignal) {
    super(`interrupted by ${signal}`)
    this.signal = signal
  }
}

/** Exit codes: 0 done, 1 failed, 2 wrong usage; interrupted by a signal 129 (HUP), 130 (INT) or 143 (TERM). */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof Interrupted) return signalExitCode(error.signal)
  // Native libraries end and break their lines as they like.
  console.error(
    `leadline: ${describeFailure(error)
      .trim()
      .replace(/\s*\n\s*/g, ' ')}`
  )
  return 1
}

/** One line: what is wrong and what to do about it. */
export function describeFailure(error: unknown): string {
  if (error instanceof LeadlineError && error.code !== 'INTERNAL') return error.message
  if (!(error instanceof Error)) return String(error)
  const { code, port, address } = error as Error & { code?: string; port?: number; address?: string }
  if (code === 'EADDRINUSE') {
    return `port ${port} on ${address} is taken by another program; choose another with --port or LEADLINE_PORT (0: any free one)`
  }
  if (code === 'EACCES' && port !== undefined)
    return `port ${port} may not be opened by this user; ports from 1024 on may`
  if (code === 'EADDRNOTAVAIL') return `this machine has no address ${address}; see --host or LEADLINE_HOST`
  if (code === 'ENOTFOUND') return `${error.message}; see --host or LEADLINE_HOST`
  return error.message
}
