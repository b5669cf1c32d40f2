import { closeSync } from 'node:fs'
import { isatty } from 'node:tty'

/** Go on, and end as usual, when the terminal was closed or nobody reads the output any more: what is printed is lost. */
export function outliveTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const terminals = [0, 1, 2].filter((fd) => isatty(fd))
  // Node gives terminals their settings back at the end, and aborts where one is gone; what is closed it leaves alone.
  process.on('exit', () => {
    for (const fd of terminals) if (!isatty(fd)) closeSync(fd)
  })
}
