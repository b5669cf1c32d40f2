import { LeadlineError } from '../errors.ts'
import { loadNative } from '../machine/native-library.ts'

/** Whoever started this process and waits to hear of it: systemd, or a container engine that hands its socket on. */
export interface ServiceManager {
  /** It serves. While `isAlive` says so and the event loop turns, a watchdog hears of it, where one is set. */
  ready(isAlive: () => boolean): void
  /** It has begun to stop; what time that may take is the manager's to know. Twice without harm. */
  stopping(): void
}

const library = 'libsystemd.so.0'

/**
 * By sd_notify(3), where NOTIFY_SOCKET asks for it; null elsewhere. The watchdog is fed as sd_watchdog_enabled(3) says, every
 * half of WATCHDOG_USEC, and while stopping too, which has an end of its own. Throws CONFIG_INVALID without libsystemd.
 */
export function serviceManager(environment: NodeJS.ProcessEnv = process.env): ServiceManager | null {
  if (!environment['NOTIFY_SOCKET']) return null
  const notify = loadNotify()
  const say = (state: string): void => void notify(0, state)
  let isAlive = (): boolean => true
  return {
    ready: (check) => {
      isAlive = check
      say('READY=1')
      const watchdogMs = watchdogOf(environment)
      if (watchdogMs === null) return
      const feed = (): void => {
        if (isAlive()) say('WATCHDOG=1')
      }
      setInterval(feed, watchdogMs / 2).unref()
    },
    stopping: () => {
      isAlive = () => true
      say('STOPPING=1')
    }
  }
}

/** Milliseconds of silence after which this process is killed; null where nobody would. */
function watchdogOf({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | null {
  if (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== process.pid) return null
  const microseconds = Number(WATCHDOG_USEC ?? 0)
  return microseconds > 0 ? microseconds / 1000 : null
}

function loadNotify(): (unset: number, state: string) => number {
  try {
    return loadNative(library).func('sd_notify', 'int', ['int', 'str'])
  } catch (cause) {
    throw new LeadlineError(
      'CONFIG_INVALID',
      `NOTIFY_SOCKET is set and ${library} cannot be loaded; install libsystemd0, or unset NOTIFY_SOCKET (Type=exec)`,
      { cause }
    )
  }
}
