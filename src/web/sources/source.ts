import { VideoSource } from '../../client/index.ts'
import type { SourceKind } from './source-kind.ts'
import { SourceTrouble, troubleOf } from './source-trouble.ts'
import { testTrack } from './test-clip.ts'

/** A video that plays, and what stops whatever gives it. */
export interface OpenSource {
  kind: SourceKind
  video: VideoSource
  /** Resolves when the user ends it elsewhere: unplugs the camera, stops sharing. */
  ended: Promise<void>
  close(): void
}

/** Ask for it and let it play. Throws SourceTrouble. */
export async function openSource(kind: SourceKind, file: File | null): Promise<OpenSource> {
  try {
    if (kind === 'file') return await fileSource(file)
    return await trackSource(kind, await trackOf(kind))
  } catch (error) {
    throw troubleOf(kind, error)
  }
}

async function fileSource(file: File | null): Promise<OpenSource> {
  if (file === null) throw new SourceTrouble('No file was chosen', 'Choose a video file.')
  const video = await VideoSource.ofFile(file)
  return { kind: 'file', video, ended: new Promise(() => {}), close: () => video.close() }
}

async function trackSource(kind: SourceKind, track: MediaStreamTrack): Promise<OpenSource> {
  const ended = new Promise<void>((resolve) => track.addEventListener('ended', () => resolve()))
  try {
    const video = await VideoSource.ofTrack(track)
    const close = () => {
      video.close()
      track.stop()
    }
    return { kind, video, ended, close }
  } catch (error) {
    track.stop()
    throw error
  }
}

async function trackOf(kind: Exclude<SourceKind, 'file'>): Promise<MediaStreamTrack> {
  if (kind === 'test') return testTrack()
  // A page from afar without TLS has none: https://w3c.github.io/mediacapture-main/#dom-navigator-mediadevices
  if (navigator.mediaDevices === undefined) throw new DOMException('no secure context', 'SecurityError')
  const stream =
    kind === 'camera'
      ? await navigator.mediaDevices.getUserMedia({
          video: { width: { ideal: 1280 }, facingMode: 'environment' }
        })
      : await navigator.mediaDevices.getDisplayMedia({ video: true })
  return stream.getVideoTracks()[0]!
}
