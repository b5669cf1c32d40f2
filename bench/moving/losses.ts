import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

export interface Losses {
  /** When gateways noted that workers were lost, by `performance.now()`, in order. */
  notedMs: number[]
  /** Of each session that went on elsewhere: when it did, and how long after the note it had a place there. */
  placements: { atMs: number; placedMs: number }[]
}

/** By the logs of gateways in this folder. */
export async function readLosses(folder: string): Promise<Losses> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')))
  const lines = texts.flatMap((text) => text.split('\n').flatMap(parse))
  const atMs = (line: LossLine): number => line.time - performance.timeOrigin
  return {
    notedMs: lines
      .filter(({ msg }) => msg === 'workers were lost')
      .map(atMs)
      .toSorted((a, b) => a - b),
    placements: lines.flatMap((line) =>
      line.placedMs === undefined ? [] : [{ atMs: atMs(line), placedMs: line.placedMs }]
    )
  }
}

interface LossLine {
  msg: string
  time: number
  /** Of a session that goes on. */
  placedMs?: number
}

function parse(line: string): LossLine[] {
  const isWanted = line.includes('"workers were lost"') || line.includes('"a lost session goes on"')
  return isWanted ? [JSON.parse(line) as LossLine] : []
}
