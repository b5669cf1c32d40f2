import type { Clip } from '../client/clips/index.ts'
import type { StreamedVideo } from './stream-video.ts'

/** What a command ends with: lines for people on a terminal, and a line of JSON where it is piped or asked for. */
export interface FinalWords {
  lines: readonly string[]
  document: object
  isJson: boolean
  /** Where standard output is taken by depth. @default process.stdout */
  output?: { isTTY?: boolean; write(text: string): unknown }
}

export function sayLast({ lines, document, isJson, output = process.stdout }: FinalWords): void {
  const isForPeople = !isJson && output.isTTY === true
  for (const line of isForPeople ? lines : [JSON.stringify(document)]) output.write(`${line}\n`)
}

export function linesOfStream(
  {
    frames,
    blank,
    fps,
    latency_ms,
    drops,
    errors,
    reconnects,
    continuity
  }: Omit<StreamedVideo, 'firstError'>,
  files: readonly string[]
): string[] {
  const lost = [counted(drops, 'frame', 'dropped'), counted(errors, 'frame', 'failed')].filter(Boolean)
  return [
    `${frames} depth maps at ${fps} fps · latency p50 ${latency_ms.p50} ms, p95 ${latency_ms.p95} ms`,
    ...(lost.length === 0 ? [] : [lost.join(', ')]),
    ...(blank === 0 ? [] : [counted(blank, 'frame', 'showed nothing')]),
    ...(reconnects === 0 ? [] : [`${counted(reconnects, 'reconnect')}; continuity at worst: ${continuity}`]),
    ...written(files)
  ]
}

export function linesOfClip(
  { id, progress: { frames }, blankFrames = 0 }: Clip,
  files: readonly string[]
): string[] {
  return [
    `clip ${id}: ${counted(frames, 'frame') || 'no frames'}`,
    ...(blankFrames === 0 ? [] : [counted(blankFrames, 'frame', 'showed nothing')]),
    ...written(files)
  ]
}

function written(files: readonly string[]): string[] {
  return files.length === 0 ? [] : [`written: ${files.join(', ')}`]
}

/** Empty for none. */
function counted(count: number, what: string, how?: string): string {
  if (count === 0) return ''
  return `${count} ${what}${count === 1 ? '' : 's'}${how === undefined ? '' : ` ${how}`}`
}
