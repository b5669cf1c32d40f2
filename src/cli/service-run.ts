import type { Logger } from 'pino'
import { returnSpareMemory } from '../machine/spare-memory.ts'
import { stopBy, stopMs } from '../machine/stop-time.ts'
import { serviceManager } from './service-manager.ts'
import { endBySignal, onStopSignal } from './stop-signals.ts'

export interface Service<Running> {
  start: () => Promise<Running>
  announce: (running: Running) => void
  /** Whether what the event loop cannot vouch for lives; a service manager restarts a process where it does not. */
  isAlive: (running: Running) => boolean
  /** Everything that was started is to be closed by `untilMs`, on the clock of performance.now(). */
  stop: (running: Running, untilMs: number) => Promise<void>
}

/**
 * Start a service and stop it when the process is told to, or when something fails that nobody foresaw. Exit codes: 0
 * stopped as told, 1 failed or not stopped in time. While it starts, and at a second signal, a signal ends it at once.
 */
export async function runService<Running>(log: Logger, service: Service<Running>): Promise<void> {
  let running: Running | null = null
  let stopping: Promise<void> | null = null
  let exitCode = 0
  returnSpareMemory()
  const manager = serviceManager()
  const stop = (started: Running): void => {
    manager?.stopping()
    stopping ??= stopInTime(log, (untilMs) => service.stop(started, untilMs)).then((isStopped) =>
      process.exit(isStopped ? exitCode : 1)
    )
  }
  const stopListening = onStopSignal((signal) => {
    log.info({ signal }, 'stopping')
    if (running === null) endBySignal(signal)
    stop(running)
  })
  const onFailure = (err: unknown): void => {
    log.fatal({ err }, 'unexpected failure')
    exitCode = 1
    if (running === null) process.exit(exitCode)
    stop(running)
  }
  process.on('uncaughtException', onFailure)
  try {
    running = await service.start()
  } catch (error) {
    stopListening()
    process.off('uncaughtException', onFailure)
    throw error
  }
  service.announce(running)
  const started = running
  manager?.ready(() => service.isAlive(started))
}

/** Whether everything was closed by then. */
async function stopInTime(log: Logger, stop: (untilMs: number) => Promise<void>): Promise<boolean> {
  const late = new Promise<'late'>((resolve) => setTimeout(resolve, stopMs, 'late'))
  try {
    if ((await Promise.race([stop(stopBy()), late])) !== 'late') return true
    log.error({}, `not stopped within ${stopMs} ms`)
  } catch (err) {
    log.error({ err }, 'could not be stopped')
  }
  return false
}
