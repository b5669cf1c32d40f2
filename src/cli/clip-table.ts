import { duration } from './duration.ts'
import { textTable } from './text-table.ts'

/** What the server says of a clip, as far as a line has it; openapi.yaml describes it. */
export interface ListedClip {
  id: string
  state: string
  model: string
  mode: string
  video: { width: number; height: number }
  progress: { frames: number; frameCount: number | null }
  failure: { code: string } | null
  createdAt: string
}

const head = ['clip', 'state', 'model', 'mode', 'size', 'frames', 'age', 'failure']

/** For people: a line of heads, then one for each clip. */
export function clipTable(clips: readonly ListedClip[], nowMs: number): string[] {
  return textTable(
    head,
    clips.map(({ id, state, model, mode, video, progress, failure, createdAt }) => [
      ...[id, state, model, mode, `${video.width}x${video.height}`],
      `${progress.frames}/${progress.frameCount ?? '?'}`,
      ...[duration(nowMs - Date.parse(createdAt)), failure?.code ?? '']
    ])
  )
}
