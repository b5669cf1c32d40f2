import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

/** When gateways noted that workers were lost, by their logs in this folder, in order and by `performance.now()`. */
export async function readLosses(folder: string): Promise<number[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')))
  const lines = texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.includes('"workers were lost"'))
  return lines
    .map((line) => (JSON.parse(line) as { time: number }).time - performance.timeOrigin)
    .toSorted((a, b) => a - b)
}
