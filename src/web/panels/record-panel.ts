import { part } from '../dom.ts'
import type { ShownFrame } from '../live/live-run.ts'
import { DepthRecording } from '../recording/depth-recording.ts'
import { fileName, save } from '../recording/save.ts'
import { VideoRecorder } from '../recording/video-recorder.ts'
import type { Stage } from '../views/stage.ts'

/** A snapshot of what is seen, a video of it, and depth as numbers. */
export class RecordPanel {
  readonly #stage: Stage
  readonly #snapshot = part('snapshot', HTMLButtonElement)
  readonly #videoButton = part('record-video', HTMLButtonElement)
  readonly #npzButton = part('record-npz', HTMLButtonElement)
  readonly #note = part('recording', HTMLElement)
  /** What is recorded: the view as it is by then. */
  readonly #canvas = document.createElement('canvas')
  #video: VideoRecorder | null = null
  #depth: DepthRecording | null = null

  constructor(stage: Stage) {
    this.#stage = stage
    this.#snapshot.addEventListener('click', () => this.#takeSnapshot())
    this.#videoButton.addEventListener('click', () => void this.#toggleVideo())
    this.#npzButton.addEventListener('click', () => this.#toggleNpz())
  }

  /** A frame was shown. */
  take({ depth }: Pick<ShownFrame, 'depth'>): void {
    this.#enable(true)
    if (this.#video !== null) this.#stage.paint(this.#canvas, 'as before')
    if (this.#depth === null) return
    if (this.#depth.add(depth)) this.#note.textContent = `Recording depth: ${this.#depth.frames} frames`
    else this.#endNpz('It ended here: depth of another size came, or the tab is full. ')
  }

  /** The video is over; what was recorded is saved. */
  end(): void {
    if (this.#video !== null) void this.#toggleVideo()
    if (this.#depth !== null) this.#endNpz('')
    this.#enable(false)
  }

  #enable(isOn: boolean): void {
    for (const button of [this.#snapshot, this.#videoButton, this.#npzButton]) button.disabled = !isOn
  }

  #takeSnapshot(): void {
    const canvas = document.createElement('canvas')
    this.#stage.paint(canvas, 'as it fits')
    canvas.toBlob((blob) => {
      if (blob !== null) this.#save(blob, 'png', '')
    })
  }

  async #toggleVideo(): Promise<void> {
    const video = this.#video
    if (video !== null) {
      this.#video = null
      press(this.#videoButton, false)
      return this.#save(await video.stop(), video.extension, '')
    }
    this.#stage.paint(this.#canvas, 'as it fits')
    try {
      this.#video = new VideoRecorder(this.#canvas)
    } catch (error) {
      this.#note.textContent = `No video can be recorded: ${String(error)}`
      return
    }
    press(this.#videoButton, true)
    this.#note.textContent = 'Recording the view; press the button again to save it'
  }

  #toggleNpz(): void {
    if (this.#depth !== null) return this.#endNpz('')
    this.#depth = new DepthRecording()
    press(this.#npzButton, true)
    this.#note.textContent = 'Recording depth'
  }

  #endNpz(why: string): void {
    const depth = this.#depth
    this.#depth = null
    press(this.#npzButton, false)
    if (depth !== null && depth.frames > 0) this.#save(depth.npz(), 'npz', why)
  }

  #save(blob: Blob, extension: string, why: string): void {
    const name = fileName(extension, new Date())
    save(blob, name)
    this.#note.textContent = `${why}Saved as ${name}`
  }
}

function press(button: HTMLButtonElement, isOn: boolean): void {
  button.ariaPressed = String(isOn)
  button.textContent = button.textContent.replace(/^\w+/, isOn ? 'Stop' : 'Record')
}
