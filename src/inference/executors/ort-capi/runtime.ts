import type { Precision } from '../../../manifest.ts'
import { CApi, type Pointer } from './c-api.ts'
import { deviceMemory, hostMemory, sessionOptions } from './device.ts'
import type { DeviceSpec } from './device-spec.ts'
import { withEngineFolder } from './engine-folder.ts'
import { openOrtLibrary } from './library.ts'
import type { OpenRuntime } from './open-runtime.ts'
import { StateMemory } from './state-memory.ts'
import { Workspace } from './workspace.ts'

/** OrtLoggingLevel of onnxruntime_c_api.h: errors only. */
const logErrors = 3

/** One library with its environment, on one device. Closed by whoever opened it, after everything made from it. */
export class Runtime implements OpenRuntime {
  readonly api: CApi
  readonly device: DeviceSpec
  readonly deviceMemory: Pointer
  readonly hostMemory: Pointer
  readonly #environment: Pointer
  readonly #workspace: Workspace | null
  #stateMemory: Promise<StateMemory> | null = null

  /** `libraryPath` null: the library that onnxruntime-node ships. Throws EXECUTOR_FAILED. */
  constructor(libraryPath: string | null, device: DeviceSpec) {
    this.api = new CApi(openOrtLibrary(libraryPath))
    this.device = device
    this.#environment = this.api.make('createEnv', logErrors, 'leadline')
    this.deviceMemory = deviceMemory(this.api, device)
    this.hostMemory = hostMemory(this.api)
    try {
      this.#workspace = this.#openWorkspace()
    } catch (error) {
      this.#releaseAll()
      throw error
    }
  }

  /** Load a ModelProto; off the main thread, for a GPU may take seconds. The OrtSession is to be released. */
  async createSession(model: Uint8Array, precision: Precision): Promise<Pointer> {
    const { version } = this.api.library
    const device = await withEngineFolder(this.device, { version, graph: model })
    return this.#create(
      model,
      sessionOptions(this.api, device, { precision, isBounded: this.#workspace !== null })
    )
  }

  /**
   * The same of a graph that moves memory and computes nothing. TensorRT would build an engine for it, and might round. What
   * it moves is no part of the workspace.
   */
  createMover(model: Uint8Array): Promise<Pointer> {
    const { workspaceBytes: _, ...spec } = this.device
    const device = { ...spec, device: spec.device === 'tensorrt' ? ('cuda' as const) : spec.device }
    return this.#create(model, sessionOptions(this.api, device, { precision: 'fp32', isBounded: false }))
  }

  /** The one of this runtime, opened with the first network. */
  stateMemory(): Promise<StateMemory> {
    this.#stateMemory ??= StateMemory.open(this).catch((error: unknown) => {
      this.#stateMemory = null
      throw error
    })
    return this.#stateMemory
  }

  async close(): Promise<void> {
    ;(await this.#stateMemory)?.close()
    this.#workspace?.close()
    this.#releaseAll()
  }

  #openWorkspace(): Workspace | null {
    const { workspaceBytes } = this.device
    if (workspaceBytes === undefined) return null
    return new Workspace(this.api, this.#environment, { ...this.device, workspaceBytes })
  }

  #releaseAll(): void {
    for (const memory of [this.deviceMemory, this.hostMemory]) this.api.release('memoryInfo', memory)
    this.api.release('env', this.#environment)
  }

  /** Takes over the OrtSessionOptions. */
  async #create(model: Uint8Array, options: Pointer): Promise<Pointer> {
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
