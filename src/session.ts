import Type, { type Static } from 'typebox'
import type { ErrorCode } from './errors.ts'
import type { ValidFrame } from './wire/frame.ts'
import { modelSummarySchema } from './manifest.ts'
import type { FrameCost } from './metering/measures.ts'
import { outputOptions, outputSchema, type OutputChange, type OutputOptions } from './wire/output.ts'

/** The vocabulary of a session that the API, the sessions room and the inference room share. It holds no behaviour. */

export const modes = ['ovda', 'vda-stream', 'vda-window', 'single'] as const
/** The modes of a live stream: vda-window needs frames that are yet to come. */
export const liveModes = ['ovda', 'vda-stream', 'single'] as const
/** What a clip may ask for: a way to run it, or one of the modes by its own name. */
export const clipModes = ['online', 'offline', ...modes] as const
export const deliveries = ['latest', 'lossless', 'adaptive'] as const

export const defaultPriority = 5
export const highestPriority = 9

/** Wishes about cuts and drift, the same for streams and clips. */
export const steadinessSchema = Type.Object({
  sceneCut: Type.Optional(
    Type.Boolean({ description: 'Forget the past where the video cuts to another scene; default true' })
  ),
  stabilize: Type.Optional(
    Type.Boolean({
      description:
        'Hold scale and shift of relative depth to those of the frames before, where the picture shows that nothing ' +
        'came nearer; default false'
    })
  ),
  steadyRange: Type.Optional(
    Type.Boolean({
      description:
        'The display range rests until the scene changes, instead of following each map; default false'
    })
  )
})

/** What a client may ask of a session; every field has a default, filled in by `sessionOptions`. */
export const sessionConfigSchema = Type.Object(
  {
    model: Type.Optional(
      Type.String({ maxLength: 128, description: 'Name of the model; default: the server’s' })
    ),
    mode: Type.Optional(
      Type.Enum(liveModes, {
        description:
          'ovda: temporal, with a latent cache; vda-stream: temporal without training for it, first frame kept; ' +
          'single: each frame alone. Which of them a model runs is in its temporal.modes'
      })
    ),
    cacheSize: Type.Optional(
      Type.Integer({
        minimum: 2,
        maximum: 32,
        description: 'Frames in the window of ovda (L); default: the model’s'
      })
    ),
    delivery: Type.Optional(
      Type.Enum(deliveries, {
        description:
          'latest: a newer frame replaces one that waits; lossless: none is dropped; adaptive: latest, with advice how fast to send'
      })
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: highestPriority,
        description:
          `Where another session needs the device, idle sessions of lower priority leave it first; default ${defaultPriority}, ` +
          'which a key may go beyond only as far as its limit says'
      })
    ),
    ...steadinessSchema.properties,
    output: Type.Optional(outputSchema)
  },
  { additionalProperties: false }
)

export type SessionConfig = Static<typeof sessionConfigSchema>
export type Mode = (typeof modes)[number]
export type ClipMode = (typeof clipModes)[number]
export type Delivery = (typeof deliveries)[number]

/** Wishes about cuts and drift with every default in place. */
export type Steadiness = Required<Static<typeof steadinessSchema>>

/** A session's wishes with every default in place except the model's own (`cacheSize: null`). */
export interface SessionOptions extends Steadiness {
  model: string
  mode: Mode
  cacheSize: number | null
  delivery: Delivery
  /** 0 to `highestPriority`. */
  priority: number
  output: OutputOptions
}

export function sessionOptions(config: SessionConfig, defaultModel: string): SessionOptions {
  return {
    model: config.model ?? defaultModel,
    mode: config.mode ?? 'ovda',
    cacheSize: config.cacheSize ?? null,
    delivery: config.delivery ?? 'latest',
    priority: config.priority ?? defaultPriority,
    ...steadiness(config),
    output: outputOptions(config.output)
  }
}

/** The defaults are measured: see docs/decisions/0008-cuts-and-drift.md. */
export function steadiness({ sceneCut, stabilize, steadyRange }: Partial<Steadiness>): Steadiness {
  return {
    sceneCut: sceneCut ?? true,
    stabilize: stabilize ?? false,
    steadyRange: steadyRange ?? false
  }
}

export const dropReasons = ['superseded', 'closed', 'reset', 'unacknowledged'] as const
export type DropReason = (typeof dropReasons)[number]
export const resetReasons = ['resolution', 'client', 'sceneCut'] as const
export type ResetReason = (typeof resetReasons)[number]
/** What became of a latent cache that was lost: the same again, made anew from its last frames, or none. */
export const continuities = ['exact', 'rebuilt', 'new'] as const
export type Continuity = (typeof continuities)[number]

/**
 * What comes out of a session, in seq order. Every accepted seq ends in exactly one of result, drop, error.
 * An error without seq ends the session.
 */
export type SessionEvent =
  | { type: 'result'; seq: number; /** the depth map, header first */ message: Uint8Array; cost?: FrameCost }
  | {
      type: 'drop'
      seq: number
      reason: DropReason
      /** by the latent cache; its depth map alone was dropped */ seen?: true
    }
  | { type: 'error'; seq: number | null; code: ErrorCode; detail: string }
  | {
      type: 'reset'
      /** first frame of the new epoch, null if none came yet */ seq: number | null
      epoch: number
      reason: ResetReason
    }
  | {
      type: 'recovered'
      /** first frame after the loss */ seq: number
      /** a new one unless the continuity is exact */ epoch: number
      continuity: Continuity
      /** Of a cache that was made anew, where it could be compared with the last depth map before. */
      alignment?: Alignment
    }
  | ({ type: 'flushed'; id: string } & StreamPosition)
  | ({ type: 'updated' } & OutputChange)
  | ParkingEvent
  | CheckpointEvent

export const parkReasons = ['idle', 'capacity'] as const
/** idle: no frame came for long; capacity: another session needs the device memory. */
export type ParkReason = (typeof parkReasons)[number]

/** What a worker says of the device memory of a session; its next frame calls off what is to come, and takes it again. */
export type ParkingEvent =
  | { type: 'notice'; reason: ParkReason; bytes: number; /** until it is parked */ deadlineMs: number }
  | { type: 'parked'; reason: ParkReason; bytes: number }

/** Answers a `checkpoint`, once the frames before it have their outcomes; those of later ones may come first. */
export type CheckpointEvent =
  | { type: 'checkpoint'; id: string; seq: number; /** see src/wire/context-bytes.ts */ saved: Uint8Array }
  | { type: 'checkpointFailed'; id: string; code: ErrorCode; detail: string }

/** Where a stream stands: the last outcome that it had, and what its latent cache had seen by then. */
export interface StreamPosition {
  epoch: number
  /** Of the last outcome; -1 before the first. */
  seq: number
  /** Of the frames of the epoch; as messages carry it, see src/wire/state-digest.ts. */
  digest: string
}

/**
 * Joins the depth of a cache made anew to where it stopped: depth * scale + offset, of which less is left with each frame.
 */
export interface Alignment {
  scale: number
  offset: number
  /** Mean difference that stays in the frame of the last depth map before, as a share of that map's extent. */
  residual: number
}

/**
 * What a session goes on from: after its worker is gone, on another worker, or from a file. Frames are oldest first and of
 * one epoch, those that showed nothing may be among them: as they were received, or as the engine's own `context` gives them.
 */
export interface SessionContext {
  /** Of the frames. The session that goes on from them has the next one, unless its continuity is exact. */
  epoch: number
  /** How many frames the latent cache had seen in the epoch; null: not known, then nothing is exact. */
  framesSeen: number | null
  /** Chain value of those frames, all of its bytes as hex; null: not known. Where it is known, `exact` is checked against it. */
  digest: string | null
  frames: readonly ValidFrame[]
  /** The last depth map that the session gave, to align scale and shift with; null: none, or the engine's notes have it. */
  seam: Uint8Array | null
  /** The latent cache itself, by which a session goes on exactly however long it was; null: made anew from the frames. */
  latents: Uint8Array | null
  /** The engine's own, JSON: what the frames had taught it besides the latent cache. */
  notes: unknown
}

/** From which frames of its epoch a lost latent cache is made anew, and which are therefore worth keeping. */
export interface ReplayShape {
  /** The first one, for good. */
  keepsFirst: boolean
  /** How many of the last ones. */
  recent: number
}

/** What the engine settled on when it opened a session. */
export interface OpenedSession {
  model: string
  modelDigest: string
  mode: Mode
  cacheSize: number
  epoch: number
  /** What is to become of the past that it was opened with, unless it is lost once more; null: it was opened with none. */
  continuity: Continuity | null
  replay: ReplayShape
  /** Frames the client may have without an outcome. */
  maxInFlight: number
  /** Bytes of device memory reserved for the session. */
  bytes: number
}

export const modelOfferSchema = Type.Object({
  ...modelSummarySchema.properties,
  sessionBytes: Type.Record(Type.String(), Type.Integer(), {
    description: 'Device memory that one session reserves at most, by mode; of ovda with the largest window'
  })
})
/** A model as a worker offers it. */
export type ModelOffer = Static<typeof modelOfferSchema>

/** What a worker puts in its row. */
export interface EngineOffer {
  models: ModelOffer[]
  /** Device memory for sessions, in bytes. */
  capacityBytes: number
  /** For people: executor and device. */
  device: string
}
