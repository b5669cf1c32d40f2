/** In the order of how many programs open them. */
const formats = [
  ['video/mp4;codecs=avc1.42E01F', 'mp4'],
  ['video/webm;codecs=vp9', 'webm'],
  ['video/webm', 'webm']
] as const

/** A video of what is drawn on a canvas, from the start to `stop`. */
export class VideoRecorder {
  readonly extension: string
  readonly #recorder: MediaRecorder
  readonly #parts: Blob[] = []

  /** Throws where the browser records none of the formats. */
  constructor(canvas: HTMLCanvasElement) {
    const format = formats.find(([type]) => MediaRecorder.isTypeSupported(type))
    if (format === undefined) throw new Error('this browser records no video')
    const [mimeType, extension] = format
    this.extension = extension
    this.#recorder = new MediaRecorder(canvas.captureStream(), { mimeType, videoBitsPerSecond: 8_000_000 })
    this.#recorder.addEventListener('dataavailable', ({ data }) => void this.#parts.push(data))
    this.#recorder.start(1000)
  }

  async stop(): Promise<Blob> {
    const stopped = new Promise((resolve) => this.#recorder.addEventListener('stop', resolve, { once: true }))
    this.#recorder.stop()
    await stopped
    for (const track of this.#recorder.stream.getTracks()) track.stop()
    return new Blob(this.#parts, { type: this.#recorder.mimeType })
  }
}
