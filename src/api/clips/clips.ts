import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../../config.ts'
import { diskFailure } from '../../disk-failure.ts'
import { LeadlineError, asLeadlineError } from '../../errors.ts'
import { checkModelRuns } from '../../model-runs.ts'
import { modeOfClip, steadiness } from '../../session.ts'
import type { Sessions } from '../../sessions/index.ts'
import type { VideoInfo } from '../../video/index.ts'
import { probeVideo } from '../../video/index.ts'
import type { Clip, ClipRequest, ResultName } from './clip.ts'
import type { Failures } from '../failures.ts'
import { ClipQueue } from './clip-queue.ts'
import { ClipStore } from './clip-store.ts'
import type { DataFolder } from './data-folder.ts'
import { openDataFolder } from './data-folder.ts'
import { DiskRoom } from './disk-room.ts'
import { checkFrameCount } from './frame-limit.ts'
import { runClip } from './run-clip.ts'

export interface ClipsOptions {
  config: Config
  sessions: Sessions
  failures: Failures
  log: FastifyBaseLogger
}

/** Every clip of this gateway: taken in, run one at a time, kept until deleted. */
export class Clips {
  readonly #options: ClipsOptions
  readonly #folder: DataFolder
  readonly #store: ClipStore
  readonly #queue: ClipQueue
  readonly #clips = new Map<string, Clip>()
  #isClosing = false

  private constructor(options: ClipsOptions, folder: DataFolder) {
    this.#options = options
    this.#folder = folder
    this.#store = new ClipStore(folder.clipsPath, options.log)
    const { maxWaitingClips: maxWaiting, maxUploads } = options.config
    this.#queue = new ClipQueue({ maxWaiting, maxUploads }, (id, signal) => this.#run(id, signal))
  }

  /**
   * Finished clips of an earlier life are there again, waiting ones run, the one that ran has failed. Holds the data
   * folder until released. Throws what opening that throws.
   */
  static async open(options: ClipsOptions): Promise<Clips> {
    const clips = new Clips(options, await openDataFolder(options.config))
    try {
      for (const clip of await clips.#store.load()) await clips.#recover(clip)
      return clips
    } catch (error) {
      await clips.release()
      throw error
    }
  }

  /**
   * Take in a clip; `receive` writes its video to the path given, as far as there is room, and says what is wanted of it.
   * Throws what that throws, and CLIPS_BUSY, CLIP_INVALID, CLIP_TOO_LARGE, FRAME_TOO_LARGE, MODEL_MODE_UNSUPPORTED,
   * MODEL_UNKNOWN, STORAGE_FULL, STORAGE_UNUSABLE, TOOL_MISSING.
   */
  async add(receive: (filePath: string, room: DiskRoom) => Promise<ClipRequest>): Promise<Clip> {
    const endUpload = this.#queue.beginUpload()
    const id = randomUUID()
    try {
      await this.#store.create(id)
      const room = new DiskRoom(this.#store.folder(id), this.#options.config)
      await room.check()
      const request = await receive(this.#store.sourcePath(id), room)
      const clip = newClip(id, request, await this.#probe(id), this.#options.config.defaultModel)
      await this.#checkModel(clip)
      await this.#store.save(clip)
      this.#clips.set(id, clip)
      this.#queue.add(id)
      return clip
    } catch (error) {
      await this.#removeQuietly(id)
      throw this.#named(error, id)
    } finally {
      endUpload()
    }
  }

  /** Throws CLIP_UNKNOWN. */
  get(id: string): Clip {
    const clip = this.#clips.get(id)
    if (clip === undefined)
      throw new LeadlineError('CLIP_UNKNOWN', `There is no clip ${id}; it may have been deleted`)
    return clip
  }

  /** The file of a result. Throws CLIP_NOT_READY, CLIP_FAILED, and CLIP_UNKNOWN when it was not asked for. */
  resultPath(id: string, name: ResultName): string {
    const { state, failure, results } = this.get(id)
    if (state === 'failed') {
      throw new LeadlineError('CLIP_FAILED', `Clip ${id} has no results: it failed with ${failure?.code}`)
    }
    if (!results.includes(name)) {
      throw new LeadlineError(
        'CLIP_UNKNOWN',
        `Clip ${id} was not asked for "${name}"; it has ${results.join(', ')}`
      )
    }
    if (state === 'done') return this.#store.resultPath(id, name)
    throw new LeadlineError('CLIP_NOT_READY', `Clip ${id} is ${state}; ask again`, { retryAfterMs: 1000 })
  }

  /** Stop it if it runs, and delete all of it. Throws CLIP_UNKNOWN, STORAGE_UNUSABLE. */
  async remove(id: string): Promise<void> {
    const clip = this.get(id)
    this.#clips.delete(id)
    await this.#queue.cancel(id)
    try {
      await this.#store.remove(id)
    } catch (error) {
      // What is still there must not be forgotten.
      this.#clips.set(id, clip)
      throw this.#named(error, id)
    }
  }

  /** Stop the running clip, which thereby fails; waiting ones stay for the next life. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#queue.close()
  }

  /** Let the next owner have the data folder, once no request uses it any more. Twice without harm. */
  async release(): Promise<void> {
    await this.#folder.close()
  }

  async #recover(clip: Clip): Promise<void> {
    this.#clips.set(clip.id, clip)
    if (clip.state === 'queued') this.#queue.add(clip.id)
    if (clip.state === 'running') await this.#fail(clip, interrupted())
  }

  async #probe(id: string): Promise<VideoInfo> {
    const { maxPixels, maxClipFrames } = this.#options.config
    const info = await probeVideo(this.#store.sourcePath(id))
    checkFrameCount(info.frameCount, maxClipFrames)
    if (info.width * info.height <= maxPixels) return info
    throw new LeadlineError(
      'FRAME_TOO_LARGE',
      `The clip is ${info.width}x${info.height}; at most ${maxPixels} pixels fit`
    )
  }

  /** At the door, since a clip waits for its turn; with no worker there just now, it may wait for one. */
  async #checkModel({ model, ...wishes }: Clip): Promise<void> {
    const offers = await this.#options.sessions.models()
    if (offers.length === 0) return
    const offer = offers.find(({ name }) => name === model)
    if (offer === undefined) {
      const names = offers.map(({ name }) => name).join(', ')
      throw new LeadlineError('MODEL_UNKNOWN', `No worker serves "${model}"; they serve ${names}`)
    }
    checkModelRuns(offer, wishes)
  }

  /** Never rejects: a failure is a state. */
  async #run(id: string, signal: AbortSignal): Promise<void> {
    const clip = this.#clips.get(id)
    if (clip === undefined) return
    const { sessions, config } = this.#options
    const onProgress = (frames: number) => (this.#current(clip).progress.frames = frames)
    try {
      await this.#change({ ...clip, state: 'running' })
      const found = await runClip({
        ...{ clip, store: this.#store, sessions, limits: config, onProgress, signal }
      })
      await this.#store.tidy(id, clip.results)
      const { frames } = this.#current(clip).progress
      await this.#change({
        ...clip,
        state: 'done',
        video: { ...clip.video, fps: found.fps },
        progress: { frames, frameCount: frames },
        warnings: found.warnings,
        blankFrames: found.blankFrames
      })
    } catch (error) {
      if (this.#clips.has(id)) await this.#fail(this.#current(clip), this.#isClosing ? interrupted() : error)
    }
  }

  #current(clip: Clip): Clip {
    return this.#clips.get(clip.id) ?? clip
  }

  /** Told in any case; on a disk that takes nothing more, a row that says "running" means the same to the next life. */
  async #fail(clip: Clip, error: unknown): Promise<void> {
    const { failures, log } = this.#options
    const { code, title, detail } = failures.tell(
      asLeadlineError(this.#named(error, clip.id)),
      log.child({ clip: clip.id })
    )
    const failed: Clip = { ...clip, state: 'failed', failure: { code, title, detail } }
    try {
      await this.#store.tidy(clip.id, [])
      await this.#store.save(failed)
    } catch (failure) {
      this.#options.log.error({ err: failure, clip: clip.id }, 'the state of a clip could not be written')
    }
    if (this.#clips.has(clip.id)) this.#clips.set(clip.id, failed)
  }

  /** A failure of the disk by its name: without a path for clients, with it for the log. */
  #named(error: unknown, clip: string): unknown {
    const failure = diskFailure(error, 'The server’s folder for clips', 'LEADLINE_DATA_DIR')
    if (failure !== null) this.#options.log.error({ err: error, clip }, 'the folder for clips cannot be used')
    return failure ?? error
  }

  async #removeQuietly(id: string): Promise<void> {
    await this.#store.remove(id).catch((error: unknown) => {
      this.#options.log.error({ err: error, clip: id }, 'the folder of a clip could not be removed')
    })
  }

  /** On disk first: a state that was told survives a crash. One that was deleted meanwhile stays so. */
  async #change(clip: Clip): Promise<void> {
    await this.#store.save(clip)
    if (this.#clips.has(clip.id)) this.#clips.set(clip.id, clip)
  }
}

function newClip(id: string, request: ClipRequest, video: VideoInfo, defaultModel: string): Clip {
  const { width, height, fps, frameCount } = video
  return {
    id,
    state: 'queued',
    model: request.model ?? defaultModel,
    mode: modeOfClip(request.mode ?? 'online'),
    cacheSize: request.cacheSize ?? null,
    ...steadiness(request),
    refine: request.refine ?? false,
    colormap: request.colormap ?? 'turbo',
    results: [...new Set(request.results ?? (['depth.mp4', 'side-by-side.mp4'] as const))],
    video: { width, height, fps },
    progress: { frames: 0, frameCount },
    warnings: [],
    failure: null,
    createdAt: new Date().toISOString()
  }
}

function interrupted(): LeadlineError {
  return new LeadlineError('DRAINING', 'The server was stopped while this clip ran; send the clip again')
}
