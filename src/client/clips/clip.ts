import type { ErrorCode } from '../../errors.ts'
import type { Colormap } from '../../wire/output.ts'
import type { ClipMode, Mode, Steadiness } from '../../session.ts'

export type ClipState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'
export type ResultName =
  | 'depth.mp4'
  | 'side-by-side.mp4'
  | 'side-by-side-half.mp4'
  | 'npz'
  | 'png16.zip'
  | 'exr.zip'
  | 'exr-half.zip'
  | 'depth.mkv'
  | 'ply.zip'
  | 'glb.zip'

/** What may be asked of a clip; openapi.yaml says of each what it means. */
export interface ClipWishes extends Partial<Steadiness> {
  model?: string
  mode?: ClipMode
  cacheSize?: number
  refine?: boolean
  colormap?: Colormap
  /** Horizontal field of view, in degrees; or fx, fy, cx, cy in pixels. */
  fov?: number
  intrinsics?: readonly number[]
  /** Default: the two videos. */
  results?: readonly ResultName[]
  webhook?: string
}

/** A clip as the server tells it. */
export interface Clip extends Partial<Steadiness> {
  id: string
  state: ClipState
  model: string
  mode: Mode
  /** null: the model's own. */
  cacheSize: number | null
  refine?: boolean
  colormap: Colormap
  results: ResultName[]
  fov?: number
  intrinsics?: number[]
  webhook?: string
  /** `fps` null: the file does not say, and it is known once the clip is done. */
  video: { width: number; height: number; fps: number | null }
  /** Frames whose depth is known, and all of them; null: the file does not say. */
  progress: { frames: number; frameCount: number | null }
  /** Frames whose picture is damaged in the file. */
  warnings?: { firstFrame: number; lastFrame: number; detail: string }[]
  blankFrames?: number
  failure: { code: ErrorCode; title: string; detail: string } | null
  createdAt: string
  /** Of its results, once it is done. */
  bytes?: number
  endedAt?: string
  /** Addresses. Of results as soon as it is done. */
  links: { self: URL; results: Partial<Record<ResultName, URL>> }
}

/** As it comes: links are relative to the address of the document. */
type ClipDocument = Omit<Clip, 'links'> & {
  links: { self: string; results: Partial<Record<ResultName, string>> }
}

export function clipOf(document: unknown, at: string | URL): Clip {
  const { links, ...clip } = document as ClipDocument
  const results = Object.entries(links.results).map(([name, link]) => [name, new URL(link, at)] as const)
  return { ...clip, links: { self: new URL(links.self, at), results: Object.fromEntries(results) } }
}

export function hasEnded({ state }: Pick<Clip, 'state'>): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled'
}

export function queryOf(wishes: ClipWishes): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(wishes)) if (value !== undefined) query.set(name, String(value))
  return query
}
