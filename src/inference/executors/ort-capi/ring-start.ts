import type { Plan } from '../../executor.ts'
import { floatTypeOf, latentElementBytes, type FloatType } from '../../latents/float-type.ts'
import { windowShape } from '../../latents/window.ts'
import { latentLayout, ringCacheBytes } from '../../latents/ring-cache-layout.ts'
import type { TransferCounter } from '../../transfers.ts'
import type { Pointer } from './c-api.ts'
import type { CapiState } from './capi-state.ts'
import { DeviceSpread } from './device-spread.ts'
import type { Runtime } from './runtime.ts'
import { HostTensor, tensorOver } from './tensor.ts'

/** A part of a state: where it begins, in elements, and its shape. */
interface Part {
  begin: number
  dims: readonly number[]
}

/**
 * What the first frame of a video does to the rings of its state, on the device: a video may begin at every scene cut, and
 * a whole cache is up to half a gigabyte.
 */
export class RingStart {
  readonly #runtime: Runtime
  readonly #type: FloatType
  readonly #elementBytes: number
  readonly #transfers: TransferCounter
  readonly #zero: HostTensor
  readonly #whole: Part
  /** Of each ring, what comes after its slot 0. */
  readonly #rests: readonly Part[]
  readonly #blanking: DeviceSpread
  /** Null where first frames fill no ring. */
  readonly #filling: DeviceSpread | null

  /** Of a plan whose states have rings. */
  static async create(runtime: Runtime, plan: Plan, transfers: TransferCounter): Promise<RingStart> {
    const type = floatTypeOf(plan.precision)
    const whole = { begin: 0, dims: [ringCacheBytes(plan) / latentElementBytes(plan.precision)] }
    const rests = restsOf(plan)
    const blanking = await DeviceSpread.create(runtime, type, [{ from: [1], to: whole.dims }])
    try {
      const spreads = rests.map(({ dims }) => ({ from: dims.slice(1), to: dims }))
      const filling = plan.mode === 'vda-stream' ? await DeviceSpread.create(runtime, type, spreads) : null
      return new RingStart(runtime, plan, { transfers, whole, rests, blanking, filling })
    } catch (error) {
      blanking.close()
      throw error
    }
  }

  private constructor(
    runtime: Runtime,
    plan: Plan,
    parts: {
      transfers: TransferCounter
      whole: Part
      rests: readonly Part[]
      blanking: DeviceSpread
      filling: DeviceSpread | null
    }
  ) {
    this.#runtime = runtime
    this.#type = floatTypeOf(plan.precision)
    this.#elementBytes = latentElementBytes(plan.precision)
    this.#transfers = parts.transfers
    this.#whole = parts.whole
    this.#rests = parts.rests
    this.#blanking = parts.blanking
    this.#filling = parts.filling
    this.#zero = new HostTensor(runtime, this.#type, [1])
    this.#zero.bytes.fill(0)
  }

  /** Zeros everywhere: hidden slots weigh 0, yet 0 times a NaN that lay in the memory before would be NaN. */
  async blank(state: CapiState): Promise<void> {
    if (state.isBlank) return
    this.#transfers.add('window', 'toDevice', this.#zero.bytes.byteLength)
    await this.#spread(this.#blanking, [this.#zero.value], { state, parts: [this.#whole] })
    state.isBlank = true
  }

  /** What lies in slot 0, which is the first frame's, into every other slot. */
  async fill(state: CapiState): Promise<void> {
    if (this.#filling) await this.#spread(this.#filling, state.slots[0]!, { state, parts: this.#rests })
  }

  close(): void {
    this.#zero.close()
    this.#blanking.close()
    this.#filling?.close()
  }

  async #spread(
    spread: DeviceSpread,
    sources: readonly Pointer[],
    { state, parts }: { state: CapiState; parts: readonly Part[] }
  ): Promise<void> {
    const targets = parts.map(({ begin, dims }) => {
      const data = state.data + BigInt(begin * this.#elementBytes)
      return tensorOver(this.#runtime, this.#runtime.deviceMemory, { data, type: this.#type, dims })
    })
    try {
      await spread.run(sources, targets)
    } finally {
      for (const target of targets) this.#runtime.api.release('value', target)
    }
  }
}

function restsOf(plan: Plan): Part[] {
  const { slots } = windowShape(plan.mode, plan.cacheSize)
  let begin = 0
  return latentLayout(plan).map(({ rows, channels }) => {
    const part = { begin: begin + rows * channels, dims: [slots - 1, rows, channels] }
    begin += slots * rows * channels
    return part
  })
}
