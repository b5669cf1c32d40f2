import { SingleBar } from 'cli-progress'

/** Shows how far something is, on stderr: a bar where somebody watches, else a line now and then. */
export interface Progress {
  update(done: number, note: string): void
  stop(): void
}

/** At most one plain line in this time. */
const lineEveryMs = 2000

export function createProgress(what: string, total: number | null, isSilent: boolean): Progress {
  if (isSilent) return { update: () => undefined, stop: () => undefined }
  return process.stderr.isTTY ? bar(what, total) : lines(what, total)
}

function bar(what: string, total: number | null): Progress {
  const format = `{bar} {value}/{total} ${what} · {note}`
  const single = new SingleBar({ format, hideCursor: true, stream: process.stderr, barsize: 30 })
  single.start(total ?? 0, 0, { note: '' })
  return {
    update(done, note) {
      if (total === null) single.setTotal(done)
      single.update(done, { note })
    },
    stop: () => single.stop()
  }
}

function lines(what: string, total: number | null): Progress {
  let lastMs = performance.now()
  return {
    update(done, note) {
      if (performance.now() - lastMs < lineEveryMs) return
      lastMs = performance.now()
      console.error(`${done}/${total ?? '?'} ${what} · ${note}`)
    },
    stop: () => undefined
  }
}
