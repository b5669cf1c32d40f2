import { LeadlineError } from '../../errors.ts'
import type { FrameInput } from '../depth-stream.ts'

export interface VideoSourceOptions {
  /** Longest side of a frame as it is sent, in pixels; none is made larger than it is. @default 640 */
  maxSide?: number
  /** Of the JPEG, in (0, 1]. @default 0.85 */
  quality?: number
}

/** The frames of a video that a browser shows, as JPEG, ready for `DepthStream.send`. */
export class VideoSource {
  /** What plays. Show it, or leave it out of the page. */
  readonly video: HTMLVideoElement
  readonly #maxSide: number
  readonly #quality: number
  readonly #canvas = document.createElement('canvas')
  /** Undoes what was done to show the video. */
  readonly #release: () => void
  #isClosed = false

  private constructor(video: HTMLVideoElement, release: () => void, options: VideoSourceOptions) {
    this.video = video
    this.#release = release
    this.#maxSide = options.maxSide ?? 640
    this.#quality = options.quality ?? 0.85
  }

  /** An element that is played by whoever has it. */
  static ofElement(video: HTMLVideoElement, options: VideoSourceOptions = {}): VideoSource {
    return new VideoSource(video, () => {}, options)
  }

  /** A camera, a screen, a canvas. The track is stopped by whoever has it. Resolves when it plays. */
  static async ofTrack(track: MediaStreamTrack, options: VideoSourceOptions = {}): Promise<VideoSource> {
    const video = inlineVideo()
    video.srcObject = new MediaStream([track])
    const source = new VideoSource(video, () => (video.srcObject = null), options)
    await source.#play('The picture of the camera or screen cannot be shown')
    return source
  }

  /** A file, from its beginning, again and again. Resolves when it plays; throws CLIP_INVALID. */
  static async ofFile(file: Blob, options: VideoSourceOptions = {}): Promise<VideoSource> {
    const video = inlineVideo()
    const url = URL.createObjectURL(file)
    video.loop = true
    video.src = url
    const release = () => {
      video.removeAttribute('src')
      video.load()
      URL.revokeObjectURL(url)
    }
    const source = new VideoSource(video, release, options)
    await source.#play('This browser cannot play the file; upload it as a clip, which the server decodes')
    return source
  }

  /**
   * Each frame as it is shown, until the video ends, `close` is called or the signal aborts. Frames that are shown while one is
   * encoded, or while nobody asks for the next, are passed over. `timestampUs` is the time in the video.
   */
  async *frames(signal?: AbortSignal): AsyncGenerator<FrameInput, void, undefined> {
    const isOver = () => this.#isClosed || signal?.aborted === true
    while (!isOver()) {
      const mediaTime = await nextFrame(this.video, isOver)
      if (mediaTime === null) return
      const encoded = await this.#encode()
      if (encoded !== null) yield { ...encoded, timestampUs: Math.round(mediaTime * 1e6) }
    }
  }

  /** Twice without harm. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.video.pause()
    this.#release()
  }

  async #play(otherwise: string): Promise<void> {
    try {
      await this.video.play()
    } catch (cause) {
      this.close()
      throw new LeadlineError('CLIP_INVALID', otherwise, { cause })
    }
  }

  /** Null while there is no picture. */
  async #encode(): Promise<Omit<FrameInput, 'timestampUs'> | null> {
    const { videoWidth, videoHeight } = this.video
    if (videoWidth === 0 || videoHeight === 0) return null
    const scale = Math.min(1, this.#maxSide / Math.max(videoWidth, videoHeight))
    const width = Math.max(1, Math.round(videoWidth * scale))
    const height = Math.max(1, Math.round(videoHeight * scale))
    const canvas = this.#canvas
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    canvas.getContext('2d', { alpha: false })!.drawImage(this.video, 0, 0, width, height)
    const blob = await new Promise<Blob | null>((resolve) =>
      canvas.toBlob(resolve, 'image/jpeg', this.#quality)
    )
    if (blob === null) return null
    return { data: new Uint8Array(await blob.arrayBuffer()), codec: 'jpeg', width, height }
  }
}

/** Muted and in its place: only so may a page play it by itself on a phone. */
function inlineVideo(): HTMLVideoElement {
  const video = document.createElement('video')
  return Object.assign(video, { muted: true, playsInline: true })
}

/** Its time in seconds; null when none follows. Where a browser has no callback for frames, the clock of the video tells. */
function nextFrame(video: HTMLVideoElement, isOver: () => boolean): Promise<number | null> {
  const has = 'requestVideoFrameCallback' in video
  return new Promise((resolve) => {
    const before = video.currentTime
    let handle = 0
    const settle = (mediaTime: number | null) => {
      if (has) video.cancelVideoFrameCallback(handle)
      for (const type of endings) video.removeEventListener(type, onEnd)
      resolve(mediaTime)
    }
    const onEnd = () => settle(null)
    const look = () => {
      if (isOver() || video.ended) return settle(null)
      if (video.currentTime !== before) return settle(video.currentTime)
      requestAnimationFrame(look)
    }
    for (const type of endings) video.addEventListener(type, onEnd)
    if (isOver() || video.ended) settle(null)
    else if (has)
      handle = video.requestVideoFrameCallback((_now, { mediaTime }) => settle(isOver() ? null : mediaTime))
    else requestAnimationFrame(look)
  })
}

/** `emptied` comes with `close`. */
const endings = ['ended', 'emptied'] as const
