import { fork } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { entryBeside } from '../../../machine/entry-beside.ts'
import { LeadlineError } from '../../../errors.ts'
import type { ValidFrame } from '../../../wire/frame.ts'
import { lookAtProcess } from '../../executors/process/look-at-process.ts'
import { SharedMemory } from '../../executors/process/shared-memory.ts'
import type { Decoded, PrepareOptions } from '../preprocess.ts'
import type { ReceivedFrame } from '../received-frame.ts'
import { networkSize } from '../resolution.ts'
import { memoryFd, sharedBytes } from './messages.ts'
import type { DecodeAnswer, DecodedPicture, DecodeRequest } from './messages.ts'

export interface DecoderLimits {
  /** Of the processor for one image, in milliseconds; by the clock `patience` times that. */
  decodeMs: number
  /** Memory of the process, in KiB, beside what it shares. */
  dataKib: number
  /** As of nice(1): 0 is as everybody else. */
  niceness: number
}

/** How many times longer than it computes an image may take. */
const patience = 4

/** 'large': it has more pixels than are decoded here. */
export type DecodedOrLarge = Decoded<ReceivedFrame> | 'large'

type Waiting = {
  frame: ValidFrame
  options: PrepareOptions
  resolve(decoded: DecodedOrLarge): void
  reject(error: LeadlineError): void
}

/**
 * One life of a process that decodes one image at a time. Whatever an image does to it, it does to nothing else: a process
 * that dies or takes too long costs the image that it had.
 */
export class DecoderChild {
  readonly #limits: DecoderLimits
  readonly #memory: SharedMemory | null
  readonly #process: ChildProcess
  readonly #exited: Promise<void>
  #isReady = false
  #isDead = false
  #current: Waiting | null = null
  #late: NodeJS.Timeout | undefined

  constructor(limits: DecoderLimits) {
    this.#limits = limits
    this.#memory = SharedMemory.create(sharedBytes)
    this.#process = forkDecoder(limits, this.#memory)
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', () => resolve())
      if (this.#process.pid === undefined) resolve()
    })
    void this.#exited.then(() => this.#memory?.close())
    this.#process.on('message', (answer: DecodeAnswer | 'ready') => this.#hear(answer))
    this.#process.on('exit', (code, signal) => this.#die(`ended with ${signal ?? `exit code ${code}`}`))
    this.#process.on('error', (error) => this.#die(`could not be reached: ${error.message}`))
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Of one frame at a time. Throws as `receiveFrame`, and FRAME_DECODE_FAILED where this process died of it. */
  decode(frame: ValidFrame, options: PrepareOptions): Promise<DecodedOrLarge> {
    const { header, payload } = frame
    return new Promise((resolve, reject) => {
      this.#current = { frame, options, resolve, reject }
      if (this.#isDead) return this.#fail('is gone')
      // From when it is ready on: a busy machine takes its time to start a process.
      if (this.#isReady) this.#watch()
      const isShared = this.#memory !== null && payload.byteLength <= sharedBytes
      if (isShared) this.#memory.bytes.set(payload)
      const request: DecodeRequest = {
        ...{ header, options },
        payload: isShared ? payload.byteLength : payload
      }
      // Where it cannot be sent the process has ended, which says how.
      this.#process.send(request, () => undefined)
    })
  }

  /** Twice without harm. */
  async end(): Promise<void> {
    this.#die('was ended')
    await this.#exited
  }

  /** On a busy machine an image may take its time; on any it may not compute for longer. */
  #watch(): void {
    const { decodeMs } = this.#limits
    const spentMs = () => (this.pid === undefined ? null : lookAtProcess(this.pid))?.cpuMs ?? Infinity
    const atFirstMs = spentMs()
    let looks = 0
    this.#late = setInterval(() => {
      looks += 1
      if (looks < patience && spentMs() - atFirstMs < decodeMs) return
      this.#die(`took longer than ${decodeMs} ms`)
    }, decodeMs)
  }

  #hear(answer: DecodeAnswer | 'ready'): void {
    if (answer === 'ready') {
      this.#isReady = true
      if (this.#current !== null) this.#watch()
      return
    }
    clearInterval(this.#late)
    const current = this.#current
    this.#current = null
    if (current === null) return
    if (answer === 'large') return current.resolve(answer)
    if ('code' in answer) return current.reject(new LeadlineError(answer.code, answer.detail))
    const decoded = this.#read(answer, current)
    if (decoded !== null) return current.resolve(decoded)
    this.#current = current
    this.#die('gave something else than it was asked for')
  }

  /** null: it is not what was asked for, as of a process that an image has taken over. */
  #read(
    { source, payloadDigest, contrast, pixels }: DecodedPicture,
    { frame, options }: Waiting
  ): Decoded<ReceivedFrame> | null {
    const { width, height } = source
    if (!(width > 0 && height > 0 && width * height <= options.maxPixels)) return null
    const size = networkSize(source, options.rule)
    const rgbBytes = size.width * size.height * 3
    const lumaBytes = contrast === null ? 0 : width * height
    const at = frame.payload.byteLength
    const { rgb, luma } = pixels ?? {
      rgb: this.#memory!.bytes.slice(at, at + rgbBytes),
      luma: this.#memory!.bytes.slice(at + rgbBytes, at + rgbBytes + lumaBytes)
    }
    if (rgb.byteLength !== rgbBytes || luma.byteLength !== lumaBytes) return null
    const guide = contrast === null ? null : { luma, contrast, width, height }
    return { prepared: { rgb, size, source, payloadDigest }, guide }
  }

  #die(how: string): void {
    clearInterval(this.#late)
    this.#isDead = true
    this.#process.kill('SIGKILL')
    this.#fail(how)
  }

  #fail(how: string): void {
    const current = this.#current
    this.#current = null
    if (current === null) return
    const { codec, seq } = current.frame.header
    // Before it was ready it had not seen the image.
    const failure = this.#isReady
      ? new LeadlineError('FRAME_DECODE_FAILED', `Frame ${seq} as ${codec}: its decoder ${how}`)
      : new LeadlineError('EXECUTOR_FAILED', `The decoder of images ${how} before it was ready`)
    current.reject(failure)
  }
}

/** What a decoder is to know of its surroundings: no password, no key. */
const knownVariables = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', 'UV_THREADPOOL_SIZE']

function forkDecoder({ dataKib, niceness }: DecoderLimits, memory: SharedMemory | null): ChildProcess {
  const { path, execArgv } = entryBeside(import.meta.url, 'child')
  const stdio: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc', ...(memory ? [memory.fd] : [])]
  const args = memory ? [String(memoryFd)] : []
  const known = knownVariables.map((name) => [name, process.env[name]] as const)
  const env = Object.fromEntries(known.filter(([, value]) => value !== undefined))
  const options = { serialization: 'advanced' as const, stdio, env }
  if (process.platform === 'win32') return fork(path, args, { ...options, execArgv })
  // In a shell: what it runs in its place has these limits, and is still the child that is started.
  const limited = `ulimit -c 0; ulimit -d ${dataKib}; exec nice -n ${niceness} "$@"`
  const shell = ['-c', limited, 'sh', process.execPath, ...execArgv]
  return fork(path, args, { ...options, execPath: '/bin/sh', execArgv: shell })
}
