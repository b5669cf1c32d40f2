import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../config.ts'
import { LeadlineError, asLeadlineError } from '../errors.ts'
import type { Log, Sessions } from '../sessions/index.ts'
import type { ClipBook, ClipRow } from './books/clip-book.ts'
import { hasEnded } from './books/clip-book.ts'
import type { ClipEnds } from './clip-ends.ts'
import type { Clip } from './clip.ts'
import { resultFiles } from './clip.ts'
import type { ClipTurn, TurnEnd } from './queue/clip-queue.ts'
import { ClipGrip } from './running/clip-grip.ts'
import { runClip } from './running/run-clip.ts'
import type { RoomLimits } from './storage/disk-room.ts'
import type { ClipStorage } from './storage/clip-storage.ts'
import { storageFailure } from './storage/storage-failure.ts'

/** What clients are told of a failure; the log has the rest. */
export type TellFailure = (failure: LeadlineError, clip: string) => NonNullable<Clip['failure']>

export interface ClipRunnerOptions {
  book: ClipBook
  storage: ClipStorage
  sessions: Sessions
  ends: ClipEnds
  limits: RoomLimits & Pick<Config, 'maxClipFrames'>
  tellFailure: TellFailure
  log: Log
}

/** Whoever runs a clip says so every second; one that said nothing for so long has lost it. */
const holdMs = 6000
/** How soon a clip that somebody has is looked at again. */
const lookAgainMs = 2000
/** A clip may be what its runners die of: after so many that wrote no frame, it has failed. */
const maxStrikes = 4
/** How long a store that is away is given, before the same is said again. */
const retryMs = 1000

/** Runs clips: takes one from the book, goes on where the run before it stopped, and writes down how it ended. */
export class ClipRunner {
  readonly #options: ClipRunnerOptions

  constructor(options: ClipRunnerOptions) {
    this.#options = options
  }

  /** Never rejects: a failure is a state. */
  async run(turn: ClipTurn): Promise<TurnEnd> {
    try {
      return await this.#run(turn)
    } catch (error) {
      const { log } = this.#options
      log.warn({ err: error, clip: turn.id }, 'the turn of a clip broke off; it comes again')
      return { againInMs: lookAgainMs }
    }
  }

  async #run(turn: ClipTurn): Promise<TurnEnd> {
    const run = randomUUID()
    const claim = await this.#options.book.claim(turn.id, run, holdMs)
    if (claim.kind === 'held') return { againInMs: lookAgainMs }
    if (claim.kind === 'taken') return this.#hold(turn, run, claim.row)
    // Whoever ended it may have died before it was written down.
    if (claim.row) await this.#writeDown(claim.row)
    return 'over'
  }

  async #hold(turn: ClipTurn, run: string, row: ClipRow): Promise<TurnEnd> {
    const { book, storage } = this.#options
    const grip = new ClipGrip({ book, storage, row, run, holdMs })
    try {
      const done = await this.#attempt(turn, { row, run, grip })
      return await this.#end(row, run, done, turn.signal)
    } catch (error) {
      if (grip.lost.aborted) return await this.#yield(row.clip.id, turn.signal)
      if (turn.signal.aborted) return await this.#letGo(row, grip)
      const failure = this.#options.tellFailure(this.#named(error, row.clip.id), row.clip.id)
      const failed: Clip = { ...row.clip, progress: { ...row.clip.progress, frames: grip.frames } }
      return await this.#end(row, run, { ...failed, state: 'failed', failure }, turn.signal)
    } finally {
      grip.stop()
    }
  }

  async #attempt(
    turn: ClipTurn,
    { row, run, grip }: { row: ClipRow; run: string; grip: ClipGrip }
  ): Promise<Clip> {
    const { storage, sessions, limits } = this.#options
    const { clip } = row
    await storage.open(clip.id)
    await this.#strike(row)
    const { frameCount } = clip.progress
    let first: number | null = null
    const onProgress = (frames: number) => {
      grip.frames = frames
      first ??= frames
      if (frames === first + 1) void this.#clear(row)
      turn.tell({ frames, frameCount })
    }
    const signal = AbortSignal.any([turn.signal, grip.lost])
    const { frames, fps, ...found } = await runClip({
      ...{ clip, owner: row.owner, storage, run, sessions, limits, onProgress, signal }
    })
    return {
      ...{ ...clip, state: 'done', video: { ...clip.video, fps }, ...found },
      progress: { frames, frameCount: frames }
    }
  }

  /** Counted before anything can go down by it. */
  async #strike({ clip, owner }: ClipRow): Promise<void> {
    const { storage } = this.#options
    const strikes = (await storage.read(clip.id))?.strikes ?? 0
    if (strikes >= maxStrikes) throw wornDown(strikes)
    await storage.save({ clip: { ...clip, state: 'queued' }, owner, strikes: strikes + 1 })
  }

  async #clear({ clip, owner }: ClipRow): Promise<void> {
    const save = this.#options.storage.save({ clip: { ...clip, state: 'queued' }, owner, strikes: 0 })
    await save.catch(() => undefined)
  }

  /** Written down before it is told, and nothing is removed before the book has decided between this end and another. */
  async #end(row: ClipRow, run: string, ended: Clip, signal: AbortSignal): Promise<TurnEnd> {
    const { book } = this.#options
    const clip = { ...ended, endedAt: new Date().toISOString() }
    const { id } = clip
    const { frames } = clip.progress
    const isOurs = await answered(() => book.keep(id, run, { frames, holdMs }), signal)
    if (isOurs === 'lost') return this.#yield(id, signal)
    await this.#save({ ...row, clip })
    const standing = await answered(() => book.settle(id, run, clip), signal)
    if (standing !== 'kept') return this.#yield(id, signal)
    await this.#tidy(clip)
    await answered(() => this.#options.ends.tell({ ...row, clip }), signal)
    return 'over'
  }

  /** To whoever ended it meanwhile, over whose document this run may have written. */
  async #yield(id: string, signal: AbortSignal): Promise<TurnEnd> {
    const row = await answered(() => this.#options.book.get(id), signal)
    if (row) await this.#writeDown(row)
    return 'over'
  }

  /** For the next who takes it, here or elsewhere. */
  async #letGo(row: ClipRow, grip: ClipGrip): Promise<TurnEnd> {
    const standing = await grip.letGo().catch(() => null)
    if (standing === 'kept') await this.#clear(row)
    return { againInMs: 0 }
  }

  async #writeDown(row: ClipRow): Promise<void> {
    if (!hasEnded(row.clip)) return
    const stored = await this.#options.storage.read(row.clip.id).catch(() => null)
    if (stored?.isTold !== true) await this.#save(row)
    await this.#tidy(row.clip)
    await this.#options.ends.tell(row)
  }

  async #save({ clip, owner }: ClipRow): Promise<void> {
    const { storage, log } = this.#options
    const save = () => storage.save({ clip, owner, strikes: 0 })
    try {
      await save().catch(async () => {
        // A full disk has room again without the files of a run.
        await this.#tidy(clip)
        await save()
      })
    } catch (error) {
      // Deleted meanwhile, perhaps.
      log.warn({ err: error, clip: clip.id }, 'the state of a clip could not be written')
    }
  }

  async #tidy({ id, state, results }: Clip): Promise<void> {
    const { storage, log } = this.#options
    const files = state === 'done' ? results.map((name) => resultFiles[name].file) : []
    await storage.tidy(id, files).catch((error: unknown) => {
      log.warn({ err: error, clip: id }, 'files of a clip that has ended could not be removed')
    })
  }

  #named(error: unknown, clip: string): LeadlineError {
    return asLeadlineError(storageFailure(error, { ...this.#options, clip }))
  }
}

/** What a store says, however long it is away. */
async function answered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (asLeadlineError(error).code !== 'STORE_UNAVAILABLE') throw error
    }
    await wait(retryMs, undefined, { signal })
  }
}

function wornDown(strikes: number): LeadlineError {
  return new LeadlineError(
    'WORKER_LOST',
    `${strikes} servers went down one after another while they ran this clip, without a new frame; it may be why`
  )
}
