/** What a line means that ffmpeg writes on stderr while it decodes with `decoderLogLevel` and `timeFilters`. */
export type DecoderMessage =
  { kind: 'frame'; stampUs: number | null } | { kind: 'damage'; detail: string } | { kind: 'note' }

/** Each line with its level, none folded into "repeated N times". */
export const decoderLogLevel = 'repeat+level+info'

/**
 * Filters that say each frame's time: marked, since `metadata` prints frames with the key alone, and in microseconds,
 * since the seconds beside it have six digits only.
 */
export const timeFilters =
  'settb=1/1000000,metadata=mode=add:key=leadline:value=1,metadata=mode=print:key=leadline'

const context = String.raw`^(?:\[[^\]]* @ [^\]]*\] )*`
const frameLine = new RegExp(String.raw`${context}\[info\] frame:\d+ +pts:(-?\d+|NOPTS) +pts_time:[^ =]+$`)
const errorLine = new RegExp(String.raw`${context}\[(?:error|fatal|panic)\] (.+)$`)
/** Who takes the pictures: what displeases it, such as two at one time, is no damage. */
const muxerLine = /^\[(?:[^\] ]*\/)?rawvideo @/
/** Only a warning to ffmpeg, which goes on. */
const corruptLine = new RegExp(String.raw`${context}\[warning\] .*(corrupt decoded frame)`)

export function decoderMessage(line: string): DecoderMessage {
  const stamp = frameLine.exec(line)?.[1]
  if (stamp !== undefined) return { kind: 'frame', stampUs: stamp === 'NOPTS' ? null : Number(stamp) }
  if (muxerLine.test(line)) return { kind: 'note' }
  const detail = (errorLine.exec(line) ?? corruptLine.exec(line))?.[1]?.trim()
  return detail === undefined ? { kind: 'note' } : { kind: 'damage', detail }
}
