import type { Precision } from '../../../manifest.ts'
import { CApi, type Pointer } from './c-api.ts'
import { deviceMemory, hostMemory, sessionOptions, type DeviceSpec } from './device.ts'
import { withEngineFolder } from './engine-folder.ts'
import { openOrtLibrary } from './library.ts'

/** OrtLoggingLevel of onnxruntime_c_api.h: errors only. */
const logErrors = 3

/** One library with its environment, on one device. Closed by whoever opened it, after everything made from it. */
export class Runtime {
  readonly api: CApi
  readonly device: DeviceSpec
  readonly deviceMemory: Pointer
  readonly hostMemory: Pointer
  readonly #environment: Pointer

  /** `libraryPath` null: the library that onnxruntime-node ships. Throws EXECUTOR_FAILED. */
  constructor(libraryPath: string | null, device: DeviceSpec) {
    this.api = new CApi(openOrtLibrary(libraryPath))
    this.device = device
    this.#environment = this.api.make('createEnv', logErrors, 'leadline')
    this.deviceMemory = deviceMemory(this.api, device)
    this.hostMemory = hostMemory(this.api)
  }

  /** Load a ModelProto; off the main thread, for a GPU may take seconds. The OrtSession is to be released. */
  async createSession(model: Uint8Array, precision: Precision): Promise<Pointer> {
    const { version } = this.api.library
    return this.#create(model, await withEngineFolder(this.device, { version, graph: model }), precision)
  }

  /** The same of a graph that moves memory and computes nothing. TensorRT would build an engine for it, and might round. */
  createMover(model: Uint8Array): Promise<Pointer> {
    const { device } = this.device
    return this.#create(model, { ...this.device, device: device === 'tensorrt' ? 'cuda' : device }, 'fp32')
  }

  close(): void {
    for (const memory of [this.deviceMemory, this.hostMemory]) this.api.release('memoryInfo', memory)
    this.api.release('env', this.#environment)
  }

  async #create(model: Uint8Array, device: DeviceSpec, precision: Precision): Promise<Pointer> {
    const options = sessionOptions(this.api, device, precision)
    try {
      return await this.api.makeAsync(
        'createSessionFromArray',
        this.#environment,
        model,
        model.byteLength,
        options
      )
    } finally {
      this.api.release('sessionOptions', options)
    }
  }
}
