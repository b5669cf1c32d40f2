import koffi from 'koffi'
import { LeadlineError } from '../../../errors.ts'
import { isOutOfMemory } from '../out-of-memory.ts'
import type { OrtLibrary } from './library.ts'

/** An address. Which kind of object lies there is in the name of whoever holds it. */
export type Pointer = bigint

/**
 * Functions of OrtApi by their place in its table (onnxruntime_c_api.h; the table only ever grows at its end) and their
 * arguments. Every one but the releases gives an OrtStatus*, null for success. An `out` argument comes last.
 */
const functions = {
  createEnv: [3, 'int level, str id, out env'],
  createSessionFromArray: [8, 'ptr env, ptr bytes, size_t length, ptr options, out session'],
  createSessionOptions: [10, 'out options'],
  setSessionLogSeverityLevel: [22, 'ptr options, int level'],
  setIntraOpNumThreads: [24, 'ptr options, int count'],
  setInterOpNumThreads: [25, 'ptr options, int count'],
  createRunOptions: [39, 'out options'],
  runOptionsSetTerminate: [46, 'ptr options'],
  runOptionsUnsetTerminate: [47, 'ptr options'],
  createTensorWithData: [
    49,
    'ptr memory, ptr data, size_t bytes, int64_t *shape, size_t rank, int type, out value'
  ],
  createMemoryInfo: [68, 'str name, int allocator, int device, int kind, out memory'],
  createCpuMemoryInfo: [69, 'int allocator, int kind, out memory'],
  allocatorAlloc: [75, 'ptr allocator, size_t bytes, out data'],
  allocatorFree: [76, 'ptr allocator, ptr data'],
  addSessionConfigEntry: [130, 'ptr options, str key, str value'],
  createAllocator: [131, 'ptr session, ptr memory, out allocator'],
  runWithBinding: [133, 'ptr session, ptr options, ptr binding'],
  createIoBinding: [134, 'ptr session, out binding'],
  bindInput: [136, 'ptr binding, str name, ptr value'],
  bindOutput: [137, 'ptr binding, str name, ptr value'],
  createArenaCfg: [164, 'strs keys, size_t *values, size_t count, out cfg'],
  addRunConfigEntry: [165, 'ptr options, str key, str value'],
  appendTensorRt: [170, 'ptr options, ptr providerOptions'],
  createTensorRtOptions: [171, 'out options'],
  updateTensorRtOptions: [172, 'ptr options, strs keys, strs values, size_t count'],
  unregisterAllocator: [177, 'ptr env, ptr memory'],
  synchronizeBoundInputs: [202, 'ptr binding'],
  synchronizeBoundOutputs: [203, 'ptr binding'],
  appendCuda: [204, 'ptr options, ptr providerOptions'],
  createCudaOptions: [205, 'out options'],
  updateCudaOptions: [206, 'ptr options, strs keys, strs values, size_t count'],
  createAndRegisterAllocator: [
    259,
    'ptr env, str provider, ptr memory, ptr cfg, strs keys, strs values, size_t count'
  ]
} as const

const releases = {
  env: 92,
  status: 93,
  memoryInfo: 94,
  session: 95,
  value: 96,
  runOptions: 97,
  sessionOptions: 100,
  allocator: 132,
  arenaCfg: 157,
  ioBinding: 135,
  tensorRtOptions: 174,
  cudaOptions: 208
} as const

const errorMessageSlot = 2
/** The highest slot in use is of API 16 (ONNX Runtime 1.16); asked for is what the oldest supported JetPack build has. */
const apiVersion = 17

export type FunctionName = keyof typeof functions
export type Releasable = keyof typeof releases
type Native = ((...args: unknown[]) => unknown) & { async(...args: unknown[]): void }

/** OrtApi of one library. A wrong argument here is a crash, so that only this room calls it. */
export class CApi {
  /** Pinned: koffi unloads a library whose handle is collected, though functions of it are still in use. */
  readonly library: OrtLibrary
  readonly #table: Pointer
  readonly #functions = new Map<string, Native>()

  /** Throws EXECUTOR_FAILED when the library is too old. */
  constructor(library: OrtLibrary) {
    this.library = library
    this.#table = library.api(apiVersion)
  }

  /** Call a function without `out`. Throws EXECUTOR_FAILED or MEMORY_EXHAUSTED with ONNX Runtime's own words. */
  call(name: FunctionName, ...args: unknown[]): void {
    this.#check(name, this.#function(name)(...args))
  }

  /** Call a function whose last argument is `out`, and give what it put there. */
  make(name: FunctionName, ...args: unknown[]): Pointer {
    const out: [Pointer | null] = [null]
    this.call(name, ...args, out)
    return out[0] ?? 0n
  }

  /** Call on a thread of libuv's pool. */
  async callAsync(name: FunctionName, ...args: unknown[]): Promise<void> {
    const status = await new Promise((resolve, reject) => {
      this.#function(name).async(...args, (error: unknown, result: unknown) =>
        error ? reject(error as Error) : resolve(result)
      )
    })
    this.#check(name, status)
  }

  async makeAsync(name: FunctionName, ...args: unknown[]): Promise<Pointer> {
    const out: [Pointer | null] = [null]
    await this.callAsync(name, ...args, out)
    return out[0] ?? 0n
  }

  release(kind: Releasable, pointer: Pointer): void {
    this.#native(`release ${kind}`, releases[kind], 'void', 'ptr pointer')(pointer)
  }

  #check(name: FunctionName, status: unknown): void {
    if (!status) return
    const message = this.#native('message', errorMessageSlot, 'str', 'ptr status')(status) as string
    this.release('status', status as Pointer)
    throw new LeadlineError(
      isOutOfMemory(message) ? 'MEMORY_EXHAUSTED' : 'EXECUTOR_FAILED',
      `ONNX Runtime, ${name}: ${message}`
    )
  }

  #function(name: FunctionName): Native {
    const [slot, args] = functions[name]
    return this.#native(name, slot, 'ptr', args)
  }

  #native(name: string, slot: number, result: string, args: string): Native {
    const known = this.#functions.get(name)
    if (known) return known
    const address = koffi.decode(this.#table, slot * koffi.sizeof('void *'), 'void *') as Pointer
    const native = koffi.decode(address, koffi.proto(`${spell(result)} (${spell(args)})`)) as Native
    this.#functions.set(name, native)
    return native
  }
}

const spellings = {
  ptr: 'void *',
  strs: 'const char **',
  str: 'const char *',
  out: '_Out_ void **'
} as const

function spell(text: string): string {
  return text.replace(/\b(ptr|strs|str|out)\b/g, (word) => spellings[word as keyof typeof spellings])
}
