import type { Static } from 'typebox'
import Type from 'typebox'
import type { Camera, DepthFileName } from '../depth-files/index.ts'
import { depthFileNames } from '../depth-files/index.ts'
import { errorCodes, LeadlineError } from '../errors.ts'
import { colormaps, refineDescription } from '../wire/output.ts'
import type { ClipMode, Mode } from '../session.ts'
import { clipModes, modes, steadinessSchema } from '../session.ts'

export { depthFiles as resultFiles } from '../depth-files/index.ts'
export type ResultName = DepthFileName

export const resultNameSchema = Type.Enum(depthFileNames, {
  description:
    'depth.mp4: in colours; side-by-side.mp4: source and depth, side-by-side-half.mp4: each at half its width; npz: float32 ' +
    'for NumPy; png16.zip: 16-bit PNGs, one scale; exr.zip: OpenEXR, channel Z, exr-half.zip: the same in 16-bit floats; ' +
    'depth.mkv: 16-bit grey, lossless (FFV1); ply.zip, glb.zip: points in space. docs/outputs.md tells sign, unit and range ' +
    'of each. The videos have the frames at the times of the file from 0 on; the archives have those times as `times`, in ' +
    'seconds'
})

const cameraSchema = {
  fov: Type.Optional(
    Type.Number({
      ...{ minimum: 1, maximum: 179 },
      description: 'For points: horizontal field of view of the camera, in degrees; default 60'
    })
  ),
  intrinsics: Type.Optional(
    Type.Array(Type.Number(), {
      ...{ minItems: 4, maxItems: 4 },
      description:
        'For points, in place of fov: fx, fy, cx, cy of the camera in pixels of the video, the centre of the first one at 0, 0; ' +
        'with commas between'
    })
  )
}

const webhookSchema = Type.String({
  maxLength: 2048,
  description:
    'Address on the public network that is told how the clip ends (Standard Webhooks); default: that of the key. Empty: none'
})

/** What a client may ask of a clip. */
export const clipRequestSchema = Type.Object(
  {
    model: Type.Optional(
      Type.String({ maxLength: 128, description: 'Name of the model; default: the server’s' })
    ),
    mode: Type.Optional(
      Type.Enum(clipModes, {
        description:
          'online (default): frame by frame, as a stream (ovda); offline: for quality, in windows of 32 frames that see ' +
          'each other (vda-window); or the name of a mode. Which of them a model runs is in its temporal.modes'
      })
    ),
    cacheSize: Type.Optional(
      Type.Integer({ minimum: 2, maximum: 32, description: 'Frames in the window; default: the model’s' })
    ),
    ...steadinessSchema.properties,
    refine: Type.Optional(
      Type.Boolean({
        description: `${refineDescription}; the archives then have maps as large as the source; default false`
      })
    ),
    colormap: Type.Optional(Type.Enum(colormaps, { description: 'For the videos; default turbo' })),
    ...cameraSchema,
    results: Type.Optional(
      Type.Array(resultNameSchema, {
        minItems: 1,
        maxItems: depthFileNames.length,
        description: 'Several times, or with commas between; default: the two videos'
      })
    ),
    webhook: Type.Optional(webhookSchema)
  },
  { additionalProperties: false }
)
export type ClipRequest = Static<typeof clipRequestSchema>

export const clipStates = ['queued', 'running', 'done', 'failed', 'cancelled'] as const
export type ClipState = (typeof clipStates)[number]

/** A clip as it is kept on disk, and, with links, as clients see it. */
export const clipSchema = Type.Object({
  id: Type.String({ format: 'uuid' }),
  state: Type.Enum(clipStates),
  model: Type.String(),
  mode: Type.Enum(modes),
  cacheSize: Type.Union([Type.Integer(), Type.Null()], { description: 'null: the model’s own' }),
  // Optional, so that rows of a server that did not know them stay valid.
  ...steadinessSchema.properties,
  refine: Type.Optional(Type.Boolean()),
  colormap: Type.Enum(colormaps),
  ...cameraSchema,
  results: Type.Array(resultNameSchema),
  webhook: Type.Optional(webhookSchema),
  video: Type.Object({
    width: Type.Integer({ description: 'As shown: upright, with square pixels' }),
    height: Type.Integer(),
    fps: Type.Union([Type.Number(), Type.Null()], {
      description: 'Average. null: the file does not say, and it is known once the clip is done'
    })
  }),
  progress: Type.Object({
    frames: Type.Integer({ description: 'Frames whose depth is known' }),
    frameCount: Type.Union([Type.Integer(), Type.Null()], { description: 'null: the file does not say' })
  }),
  warnings: Type.Optional(
    Type.Array(
      Type.Object({
        firstFrame: Type.Integer({ description: 'From 0, as near as the decoder tells' }),
        lastFrame: Type.Integer(),
        detail: Type.String({ description: 'What the decoder says' })
      }),
      {
        description:
          'Frames whose picture is damaged in the file. Those after them may suffer, up to a key frame'
      }
    )
  ),
  blankFrames: Type.Optional(
    Type.Integer({
      description:
        'Frames that show nothing, known once the clip is done: their depth means little, that of no other frame ' +
        'depends on them, and the colours of the videos are not spread over it'
    })
  ),
  failure: Type.Union([
    Type.Null(),
    Type.Object({ code: Type.Enum(errorCodes), title: Type.String(), detail: Type.String() })
  ]),
  createdAt: Type.String({ description: 'ISO 8601' }),
  bytes: Type.Optional(Type.Integer({ description: 'Of its results, once it is done' })),
  endedAt: Type.Optional(Type.String({ description: 'When it was done, failed or was cancelled' }))
})
export type Clip = Static<typeof clipSchema>

const usualFovDegrees = 60

/** The camera that a clip was asked to have. */
export function cameraOf({ fov, intrinsics }: Pick<ClipRequest, 'fov' | 'intrinsics'>): Camera {
  const [fx, fy, cx, cy] = intrinsics ?? []
  if (fx === undefined || fy === undefined || cx === undefined || cy === undefined)
    return { fovDegrees: fov ?? usualFovDegrees }
  return { fx, fy, cx, cy }
}

/** Throws REQUEST_INVALID for a camera that is told twice, or that cannot be. */
export function checkCamera({ fov, intrinsics }: Pick<ClipRequest, 'fov' | 'intrinsics'>): void {
  if (intrinsics === undefined) return
  if (fov !== undefined)
    throw new LeadlineError(
      'REQUEST_INVALID',
      'fov and intrinsics both tell the camera; leave one of them out'
    )
  const [fx = 0, fy = 0] = intrinsics
  if (fx > 0 && fy > 0) return
  throw new LeadlineError(
    'REQUEST_INVALID',
    `intrinsics are fx,fy,cx,cy in pixels; fx and fy are ${fx} and ${fy}, and must be above 0`
  )
}

/** online: frame by frame, as a stream. offline: in windows of 32 frames that see each other, for quality. */
export function modeOfClip(mode: ClipMode): Mode {
  if (mode === 'online') return 'ovda'
  return mode === 'offline' ? 'vda-window' : mode
}
