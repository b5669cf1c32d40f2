import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Manifest } from '../manifest.ts'
import type { Mode } from '../session.ts'
import { batchSizes } from './batch-sizes.ts'
import type { Executor, ExecutorCaps } from './executor.ts'
import { replayBytes } from './recovery/replay.ts'
import { networkSize } from './pixels/resolution.ts'
import type { Size } from './pixels/resolution.ts'
import { planOf, sessionPlan, worstCaseBytes } from './session-plan.ts'
import type { ServedModel, SessionPlan } from './session-plan.ts'

export type MemoryConfig = Pick<Config, 'memoryBytes' | 'replayBytes' | 'workspaceBytes'>

/** What the latent cache of one session takes with sources of one shape. */
export interface ClassMemory {
  /** Width to height of the source. */
  aspect: string
  /** Network size, in pixels. */
  size: Size
  bytes: number
}

/** The memory of one session of a model, with the window that it gets unless it asks for another. */
export interface SessionMemory {
  mode: Mode
  /** L of mode ovda; null of the others. */
  cacheSize: number | null
  /** Of the device, as reserved when the session opens: enough for sources of every shape. */
  reservedBytes: number
  /** How many such sessions fit at once; null where frames stand alone, which takes no memory. */
  sessions: number | null
  /** Of the host, for its last frames. */
  replayBytes: number
  classes: ClassMemory[]
}

export interface ModelMemory {
  model: string
  /**
   * Of one network that is loaded, for all its sizes of batch: there is one for each mode, window and network size in use,
   * and two more. No part of the capacity, since what sizes will come is not known when a session opens.
   */
  weightsBytes: number
  modes: SessionMemory[]
}

const aspects = { '16:9': [16, 9], '4:3': [4, 3], '1:1': [1, 1], '9:16': [9, 16] } as const
/** Tall enough that rounding the source plays no part. */
const unit = 240

/** What of an executor decides how much memory a model takes. */
export type MemoryOf = Pick<Executor, 'stateBytes'> & { caps: Pick<ExecutorCaps, 'maxBatch'> }

/** What a model asks of the memory: a pure function of its manifest and the executor. */
export function modelMemory(model: ServedModel, executor: MemoryOf, capacityBytes: number): ModelMemory {
  const { manifest } = model
  return {
    model: manifest.name,
    weightsBytes: weightsBytes(model) * batchSizes(executor.caps.maxBatch).length,
    modes: manifest.temporal.modes.map((mode) => {
      const plan = sessionPlan(model, { mode, cacheSize: null })
      return sessionMemory(plan, manifest.resolution, executor, capacityBytes)
    })
  }
}

/** The mode that a session gets unless it asks for another; a model without it is shown by its first. */
export function usualMode({ modes }: ModelMemory): SessionMemory {
  return modes.find(({ mode }) => mode === 'ovda') ?? modes[0]!
}

/** For people: the usual mode in full, the others in brief. */
export function describeMemory(memory: ModelMemory): string {
  const usual = usualMode(memory)
  const others = memory.modes.filter((mode) => mode !== usual).map(describeMode)
  const weights = `weights ${mebibytes(memory.weightsBytes)} for each loaded size`
  return [describeMode(usual) + describeClasses(usual), ...others, weights].join('; ')
}

/** For people: what there is. */
export function describeBudget({ memoryBytes, replayBytes, workspaceBytes }: MemoryConfig): string {
  const workspace = workspaceBytes === null ? 'as it comes' : `${workspaceBytes / 2 ** 20} MiB`
  return (
    `${memoryBytes / 2 ** 20} MiB of the device for latent caches, ${replayBytes / 2 ** 20} MiB of the host ` +
    `for the last frames of sessions; weights and workspace ${workspace}`
  )
}

/** What there is for sessions, and what those of each model take, for the log of a service. */
export function logMemory(
  models: Iterable<ServedModel>,
  executor: MemoryOf,
  config: MemoryConfig,
  log: Logger
): void {
  const { memoryBytes, replayBytes, workspaceBytes } = config
  log.info({ memoryBytes, replayBytes, workspaceBytes }, `memory: ${describeBudget(config)}`)
  for (const model of models) {
    const memory = modelMemory(model, executor, memoryBytes)
    log.info(memory, `memory of ${memory.model}: ${describeMemory(memory)}`)
  }
}

function sessionMemory(
  plan: SessionPlan,
  rule: Manifest['resolution'],
  executor: Pick<Executor, 'stateBytes'>,
  capacityBytes: number
): SessionMemory {
  const reservedBytes = worstCaseBytes(plan, rule, executor)
  return {
    mode: plan.mode,
    cacheSize: plan.mode === 'ovda' ? plan.cacheSize : null,
    reservedBytes,
    sessions: reservedBytes > 0 ? Math.floor(capacityBytes / reservedBytes) : null,
    replayBytes: replayBytes(plan, rule),
    classes: Object.entries(aspects).map(([aspect, [width, height]]) => {
      const size = networkSize({ width: width * unit, height: height * unit }, rule)
      return { aspect, size, bytes: executor.stateBytes(planOf(plan, size)) }
    })
  }
}

/** int8 counts as float32, which its other layers are: at most. */
function weightsBytes({ manifest, precision }: ServedModel): number {
  const { bytes, dtype } = manifest.weights
  const stored = dtype.endsWith('16') ? 2 : 4
  return (bytes / stored) * (precision === 'fp16' ? 2 : 4)
}

function describeMode({
  mode,
  cacheSize,
  reservedBytes,
  sessions,
  replayBytes: hostBytes
}: SessionMemory): string {
  const name = cacheSize === null ? mode : `${mode} (window ${cacheSize})`
  if (sessions === null) return `${name} takes none`
  const host = hostBytes > 0 ? ` and ${mebibytes(hostBytes)} of the host` : ''
  return `${name} takes up to ${mebibytes(reservedBytes)}${host} a session, ${sessions} fit`
}

function describeClasses({ classes, sessions }: SessionMemory): string {
  if (sessions === null) return ''
  const sizes = classes.map(
    ({ aspect, size, bytes }) => `${mebibytes(bytes)} at ${aspect} (${size.width}x${size.height})`
  )
  return ` (${sizes.join(', ')})`
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
