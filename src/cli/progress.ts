/** Shows how far something is: on a terminal one line that is written anew, else a line now and then. */
export interface Progress {
  update(done: number, note: string): void
  /** A line of its own, that stays. */
  say(line: string): void
  stop(): void
}

export interface ProgressOptions {
  /** What is counted, in the plural. */
  what: string
  /** null: not known. */
  total: number | null
  isSilent: boolean
  /** @default process.stderr */
  output?: { isTTY?: boolean; write(text: string): unknown }
}

/** At most one plain line in this time. */
const lineEveryMs = 2000
const redrawEveryMs = 100
/** To the start of the line, and what stood there goes. */
const eraseLine = '\r\u001B[K'

export function createProgress(options: ProgressOptions): Progress {
  const { what, total, isSilent, output = process.stderr } = options
  if (isSilent) return { update: () => undefined, say: () => undefined, stop: () => undefined }
  const isRedrawn = output.isTTY === true
  let shownMs = isRedrawn ? -Infinity : performance.now()
  let latest: string | null = null
  return {
    update(done, note) {
      latest = `${done}/${total ?? '?'} ${what} · ${note}`
      if (performance.now() - shownMs < (isRedrawn ? redrawEveryMs : lineEveryMs)) return
      shownMs = performance.now()
      output.write(isRedrawn ? eraseLine + latest : `${latest}\n`)
    },
    say(line) {
      output.write(isRedrawn && latest !== null ? `${eraseLine}${line}\n${latest}` : `${line}\n`)
    },
    stop() {
      if (isRedrawn && latest !== null) output.write(`${eraseLine}${latest}\n`)
      latest = null
    }
  }
}
