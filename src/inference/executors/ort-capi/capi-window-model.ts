import type { Plan, SliceRow } from '../../executor.ts'
import { VDA_WINDOW } from '../../latents/window.ts'
import { windowCacheBytes } from '../../latents/window-cache-layout.ts'
import type { CapiLoadOptions } from './capi-model.ts'
import { CapiStage } from './capi-stage.ts'
import { CapiWindowState } from './capi-window-state.ts'
import { opSetOf } from './device-graph.ts'
import { DeviceCopy, latentsOf } from './device-copy.ts'
import { GraphMaker } from './graph-maker.ts'
import { owning } from './open-runtime.ts'
import type { Runtime } from './runtime.ts'
import type { StateMemory } from './state-memory.ts'
import { checkStateBytes } from '../refusals.ts'

interface Parts {
  plan: Plan
  memory: StateMemory
  stages: readonly CapiStage[]
  copy: DeviceCopy
}

/** The network of mode vda-window, loaded through the C API on one device, a session per stage. */
export class CapiWindowModel {
  readonly plan: Plan
  readonly #runtime: Runtime
  readonly #stages: readonly CapiStage[]
  readonly #memory: StateMemory
  readonly #copy: DeviceCopy
  /** The latest run: slices of one model follow each other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** Reads and checks the weights, builds the stages, loads them and runs each once. */
  static async load(
    runtime: Runtime,
    plan: Plan,
    { weightBits, transfers }: CapiLoadOptions
  ): Promise<CapiWindowModel> {
    const maker = new GraphMaker(plan, { opSet: opSetOf(runtime.device.device), weightBits })
    const graphs = await maker.stages().finally(() => maker.close())
    const memory = await runtime.stateMemory()
    const copy = await DeviceCopy.create(runtime, latentsOf(plan, windowCacheBytes(plan)), transfers)
    const stages: CapiStage[] = []
    try {
      for (const { model, ...graph } of graphs) {
        const session = await runtime.createSession(model, plan.precision)
        stages.push(
          owning(session, runtime, () => new CapiStage(runtime, session, { plan, graph, transfers }))
        )
      }
      const windowModel = new CapiWindowModel(runtime, { plan, memory, stages, copy })
      await windowModel.#warmUp()
      return windowModel
    } catch (error) {
      copy.close()
      for (const stage of stages) stage.close()
      throw error
    }
  }

  private constructor(runtime: Runtime, { plan, memory, stages, copy }: Parts) {
    this.plan = plan
    this.#runtime = runtime
    this.#stages = stages
    this.#copy = copy
    this.#memory = memory
  }

  newState(): CapiWindowState {
    return new CapiWindowState(this.#runtime, this.#memory, this.plan)
  }

  /** Runs one stage for one frame; the last gives its depth, float32 height x width, the others null. */
  slice(state: CapiWindowState, row: Omit<SliceRow, 'state'>): Promise<Float32Array | null> {
    const sliced = this.#turn.then(() => this.#stages[row.stage]!.run(state, row))
    this.#turn = sliced.catch(() => undefined)
    return sliced
  }

  /** As WindowCache lays it out. */
  toBytes({ data }: Pick<CapiWindowState, 'data'>): Promise<Uint8Array> {
    return this.#copy.download(data)
  }

  async fromBytes(bytes: Uint8Array): Promise<CapiWindowState> {
    const expected = windowCacheBytes(this.plan)
    checkStateBytes('window', bytes, expected)
    const state = this.newState()
    await this.#copy.upload(bytes, state.data)
    return state
  }

  /** Its states are to be closed before. */
  close(): void {
    this.#copy.close()
    for (const stage of this.#stages) stage.close()
  }

  /** A blank frame through every stage; the other slots of the window hold whatever the memory held. */
  async #warmUp(): Promise<void> {
    const { height, width } = this.plan
    const places = Int32Array.from({ length: VDA_WINDOW }, (_, place) => place)
    const frame = new Uint8Array(height * width * 3)
    const state = this.newState()
    try {
      for (const stage of this.#stages.keys()) await this.slice(state, { stage, slot: 0, places, frame })
    } finally {
      state.close()
    }
  }
}
