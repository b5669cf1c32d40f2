import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/** Of a move, in milliseconds, as both workers have logged it. */
export interface Phases {
  /** Memory is reserved on the other worker; the session goes on meanwhile. */
  reserved: number
  /** It stands still from here on: its frame is stepped, its latent cache taken from the device. */
  halted: number
  /** On its way to the other worker, and the answer on its way back. */
  travelling: number
  /** The other worker opens it, until its latent cache is whole. */
  opened: number
  /** Its row says that it is the other worker's. */
  committed: number
}

/** Of every move whose both ends are in the logs of this folder. */
export async function readPhases(folder: string): Promise<Phases[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')))
  const lines = texts.flatMap((text) => text.split('\n').flatMap(parse))
  // Of one that moved more than once, the last.
  const arrivals = new Map(
    lines.filter(({ msg }) => msg === 'a session moved here').map((line) => [line.sessionId, line])
  )
  return lines.flatMap(({ msg, sessionId, reservedMs = 0, haltedMs = 0, answeredMs = 0 }) => {
    const arrival = msg === 'a session moved' ? arrivals.get(sessionId) : undefined
    if (!arrival) return []
    const { openedMs = 0, tookMs = 0 } = arrival
    const there = { opened: openedMs, committed: tookMs - openedMs, travelling: answeredMs - tookMs }
    return [{ reserved: reservedMs, halted: haltedMs, ...there }]
  })
}

interface MoveLine {
  msg: string
  sessionId: string
  reservedMs?: number
  haltedMs?: number
  answeredMs?: number
  openedMs?: number
  tookMs?: number
}

function parse(line: string): MoveLine[] {
  return line.includes('a session moved') ? [JSON.parse(line) as MoveLine] : []
}
