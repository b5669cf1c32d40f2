import type { Steadiness } from '../session.ts'
import { steadiness } from '../session.ts'
import { modeOfClip } from './clip.ts'
import type { VideoInfo } from '../video/index.ts'
import type { Clip, ClipRequest } from './clip.ts'

/** How a clip runs through its model. */
export type ClipRun = Pick<Clip, 'model' | 'mode' | 'cacheSize'> & Steadiness

export function runOf(request: ClipRequest, defaultModel: string): ClipRun {
  return {
    model: request.model ?? defaultModel,
    mode: modeOfClip(request.mode ?? 'online'),
    cacheSize: request.cacheSize ?? null,
    ...steadiness(request)
  }
}

/** One that waits. */
export function newClip(id: string, request: ClipRequest, video: VideoInfo, defaultModel: string): Clip {
  const { width, height, fps, frameCount } = video
  return {
    id,
    state: 'queued',
    ...runOf(request, defaultModel),
    refine: request.refine ?? false,
    colormap: request.colormap ?? 'turbo',
    ...(request.fov === undefined ? {} : { fov: request.fov }),
    ...(request.intrinsics === undefined ? {} : { intrinsics: request.intrinsics }),
    ...(request.webhook === undefined ? {} : { webhook: request.webhook }),
    results: [...new Set(request.results ?? (['depth.mp4', 'side-by-side.mp4'] as const))],
    video: { width, height, fps },
    progress: { frames: 0, frameCount },
    warnings: [],
    failure: null,
    createdAt: new Date().toISOString()
  }
}
