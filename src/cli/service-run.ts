import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'

/** Longest time that closing may take, after which the process ends anyway. */
const closeMs = 30_000

/** Close the service when the process is told to stop, or fails; a second signal ends it at once. */
export function runUntilStopped(log: Logger, close: () => Promise<void>): void {
  closeWithGrace({ delay: closeMs, logger: false }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'unexpected failure')
    else log.info({ signal }, 'stopping')
    await close()
  })
}
