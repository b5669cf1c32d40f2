import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { LeadlineError } from '../../errors.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import { entryBeside } from '../../machine/entry-beside.ts'
import { FairGate } from '../fairness/fair-gate.ts'
import type { Asker } from '../fairness/fair-gate.ts'
import { PictureDecoder } from './decoding/picture-decoder.ts'
import type { PictureDecoderOptions } from './decoding/picture-decoder.ts'
import { encodingMs, usualEncodingMs } from './encoding-time.ts'
import { MapEncoder } from './encoding/map-encoder.ts'
import type { PixelAnswer, PixelTask } from './pixel-thread.ts'
import type { PixelWork, SharedPixelWork } from './pixel-work.ts'
import { encodeDepth, outputSize } from './postprocess.ts'
import type { Decoded, PrepareOptions } from './preprocess.ts'
import { receiveFrame } from './received-frame.ts'
import type { ReceivedFrame } from './received-frame.ts'

/** Maps up to here, about a millisecond's work, are not worth the way to another thread. */
const ownPixelsMax = 65_536
/** A core is left to the event loop. */
const maxThreads = Math.max(1, Math.min(8, availableParallelism() - 1))
/** What takes long leaves the other cores to the rest, even while there is nothing for them to do: it holds up memory too. */
const maxSlow = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)))
const idleMs = 60_000

/**
 * Pixel work beside the event loop, which thereby stays free for sockets, heartbeats and the executor: images and maps that
 * take long in processes, all else on threads. More than one are started when there is work for them and end when there is
 * none. Whoever made a pool closes it.
 */
export class PixelPool implements SharedPixelWork {
  readonly #threads: Piscina<PixelTask>
  readonly #decoder: PictureDecoder
  readonly #encoder: MapEncoder
  /** In front of the threads. */
  readonly #gate = new FairGate(maxThreads)

  constructor(options: PictureDecoderOptions = {}) {
    const slow = new FairGate(maxSlow)
    this.#decoder = new PictureDecoder(options, slow)
    this.#encoder = new MapEncoder(slow)
    const { path, execArgv } = entryBeside(import.meta.url, 'pixel-thread')
    this.#threads = new Piscina({
      ...{ filename: path, execArgv, idleTimeout: idleMs },
      // One is there before the first frame.
      ...{ minThreads: 1, maxThreads }
    })
  }

  /** Tasks that threads have done. For tests. */
  get numDone(): number {
    return this.#threads.completed
  }

  of(asker: Asker): PixelWork {
    return {
      prepare: (frame, options) => this.#prepare(frame, options, asker),
      encode: (...map) => this.#encode(map, asker)
    }
  }

  /** Images in a process of their own; RGB that is to be resized and nothing else happens beside the event loop anyway. */
  async #prepare(frame: ValidFrame, options: PrepareOptions, asker: Asker): Promise<Decoded<ReceivedFrame>> {
    const { header, payload } = frame
    const { codec } = header
    if (codec === 'rgb24' && !options.withGuide) return receiveFrame(frame, options)
    if (codec !== 'rgb24' && codec !== 'nv12' && codec !== 'raw')
      return this.#decoder.decode(frame, options, asker)
    // A copy: the payload is part of a message, and of whatever the socket read with it.
    const own = Uint8Array.from(payload)
    return this.#run({ kind: 'prepare', header, payload: own, options }, [own], asker)
  }

  async #encode([map, labels, output]: Parameters<PixelWork['encode']>, asker: Asker): Promise<Uint8Array> {
    const size = outputSize(map, output)
    const { depth, guide } = map
    if (!guide && size.width * size.height <= ownPixelsMax) return encodeDepth(map, labels, output)
    if (encodingMs(size, output) > usualEncodingMs) return this.#encoder.encode(map, labels, output, asker)
    const isAlone = depth.byteLength === depth.buffer.byteLength
    const own = isAlone ? depth : Float32Array.from(depth)
    return this.#run(
      { kind: 'encode', map: { ...map, depth: own }, labels, output },
      guide ? [own, guide.luma] : [own],
      asker
    )
  }

  /** Processes that decode images. For tests. */
  get decoderPids(): number[] {
    return this.#decoder.pids
  }

  /** Processes that encode maps which take long. For tests. */
  get encoderPids(): number[] {
    return this.#encoder.pids
  }

  /** What threads have begun is finished first. Twice without harm. */
  async close(): Promise<void> {
    await Promise.all([this.#threads.close(), this.#decoder.close(), this.#encoder.close()])
  }

  /** What is `large` is moved to the thread, and gone here. */
  async #run<R>(task: PixelTask, large: readonly (Uint8Array | Float32Array)[], asker: Asker): Promise<R> {
    const transferList = large.map(({ buffer }) => buffer as ArrayBuffer)
    const run = () => this.#threads.run(task, { transferList }) as Promise<PixelAnswer<R>>
    const answer = await this.#gate.run(asker, run)
    if ('code' in answer) throw new LeadlineError(answer.code, answer.detail)
    return answer.result
  }
}
