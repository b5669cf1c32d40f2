import os from 'node:os'

/**
 * What asks a process to stop: a closed terminal, Ctrl-C, a service manager. SIGQUIT (Ctrl-\) is left to the system, as the
 * way to end at once a process that does not listen any more, and so is every signal of a native fault (SEGV, BUS, FPE,
 * ILL, ABRT): after a handler the fault comes again, for ever.
 */
const stopSignals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const
export type StopSignal = (typeof stopSignals)[number]

/** npm hands on a Ctrl-C that the terminal has sent to everybody already: for so long it counts as the same one. */
const echoMs = 1000

/** Calls `onStop` at the first signal; a second one ends the process at once. Returns the end of listening. */
export function onStopSignal(onStop: (signal: StopSignal) => void): () => void {
  let firstAtMs: number | null = null
  const heard = (signal: StopSignal): void => {
    if (firstAtMs === null) {
      firstAtMs = performance.now()
      onStop(signal)
    } else if (performance.now() - firstAtMs > echoMs) endBySignal(signal)
  }
  for (const signal of stopSignals) process.on(signal, heard)
  return () => {
    for (const signal of stopSignals) process.off(signal, heard)
  }
}

/** End as if the signal had never been handled, without another word, so that whoever waits for the process sees why. */
export function endBySignal(signal: StopSignal): never {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // The first process of a container does not end by a signal of its own.
  process.exit(signalExitCode(signal))
}

/** What shells show for a process that a signal ended. */
export function signalExitCode(signal: StopSignal): number {
  return 128 + os.constants.signals[signal]
}
