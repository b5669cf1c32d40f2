import { LeadlineError } from '../../errors.ts'
import { checkFrame } from '../../wire/frame.ts'
import type { ValidFrame } from '../../wire/frame.ts'
import type { SessionContext, Steadiness } from '../../session.ts'
import { planKey as keyOf } from '../executor.ts'
import type { PixelWork } from '../pixels/pixel-work.ts'
import type { PrepareOptions } from '../pixels/preprocess.ts'
import type { Size } from '../pixels/resolution.ts'
import type { ReceivedFrame } from '../pixels/received-frame.ts'
import { planOf } from '../session-plan.ts'
import type { SessionPlan } from '../session-plan.ts'
import { givenSeam } from '../stability/given-seam.ts'
import { newScene, watchScene } from '../stability/scene-cut.ts'
import type { Scene } from '../stability/scene-cut.ts'
import { seeFrame } from '../stability/seen-frame.ts'
import type { SeenFrame } from '../stability/seen-frame.ts'
import { readNotes } from './context-notes.ts'
import type { ContextNotes } from './context-notes.ts'
import type { Past } from './past.ts'
import { ReplayFrames, replayShape } from './replay.ts'

export interface ReadContextOptions {
  plan: SessionPlan
  wishes: Pick<Steadiness, 'stabilize'>
  pixels: PixelWork
  prepare: PrepareOptions
}

interface SeenAnew extends SeenFrame {
  seq: number
}

/**
 * A context as a session of the plan can go on from it. Frames that show nothing or cannot be decoded were never
 * remembered; of more frames than such a session keeps, the last ones count. Throws CONTEXT_INVALID and MODEL_MODE_UNSUPPORTED.
 */
export async function readContext(context: SessionContext, options: ReadContextOptions): Promise<Past> {
  const { plan, wishes } = options
  const { epoch, digest } = context
  const standsAlone = plan.mode === 'single'
  if (plan.mode === 'vda-window')
    throw new LeadlineError('MODEL_MODE_UNSUPPORTED', 'A session of mode vda-window goes on from no context')
  const notes = context.notes === null ? null : readNotes(context.notes)
  const seen = context.framesSeen === 0 ? [] : await seeAgain(context.frames, notes, options)
  const size = seen.at(-1)?.prepared.size ?? notes?.size ?? null
  const planKey = size && keyOf(planOf(plan, size))
  // What another network or window has learned is its own.
  const own = notes !== null && notes.planKey === planKey ? notes : null
  const framesSeen = notes !== null && own === null ? null : context.framesSeen
  // Frames of mode single need no others, unless they are to be held steady to them.
  const needsNothing = standsAlone && (own !== null || !wishes.stabilize)
  const frames = kept(plan, ofSize(seen, size))
  const latents = own && planKey && framesSeen !== null && digest !== null ? context.latents : null
  return {
    ...{ epoch, framesSeen: needsNothing ? (framesSeen ?? 1) : framesSeen, digest, planKey },
    size,
    frames: frames.map(({ seq, prepared }) => ({ seq, prepared })),
    scene: own?.scene ?? sceneOf(frames),
    view: own?.view ?? null,
    loss: notes?.loss ?? null,
    seam: own || !size ? null : await seamOf(context, size),
    latents: latents && { planKey: planKey!, bytes: latents },
    holds: latents !== null || needsNothing
  }
}

async function seeAgain(
  frames: readonly ValidFrame[],
  notes: ContextNotes | null,
  { pixels, prepare }: ReadContextOptions
): Promise<SeenAnew[]> {
  if (notes && notes.payloadDigests.length !== frames.length) {
    invalid(`it has ${frames.length} frames and notes of ${notes.payloadDigests.length}`)
  }
  const seen = await Promise.all(
    frames.map(async (frame, index) => {
      const prepared = await prepareAgain(frame, pixels, prepare)
      if (prepared === null) return null
      const payloadDigest = notes?.payloadDigests[index] ?? prepared.payloadDigest
      return { ...seeFrame({ ...prepared, payloadDigest }), seq: frame.header.seq }
    })
  )
  return seen.filter((frame) => frame !== null && !frame.isBlank) as SeenAnew[]
}

/** Null: it had an error for its outcome, and no cache has seen it. */
async function prepareAgain(
  frame: ValidFrame,
  pixels: PixelWork,
  options: PrepareOptions
): Promise<ReceivedFrame | null> {
  try {
    checkFrame(frame, options)
    const { prepared } = await pixels.prepare(frame, { ...options, withGuide: false })
    return prepared
  } catch (error) {
    if (error instanceof LeadlineError) return null
    throw error
  }
}

/** An epoch has frames of one size. */
function ofSize(seen: readonly SeenAnew[], size: Size | null): SeenAnew[] {
  return seen.filter(
    ({ prepared }) => prepared.size.width === size?.width && prepared.size.height === size.height
  )
}

/** As many as a session of the plan keeps. */
function kept(plan: SessionPlan, seen: readonly SeenAnew[]): SeenAnew[] {
  const frames = new ReplayFrames<SeenAnew>(replayShape(plan))
  for (const frame of seen) frames.add(frame)
  return frames.list()
}

function sceneOf(frames: readonly SeenAnew[]): Scene {
  return frames.reduce((scene, { grid }) => watchScene(scene, grid).scene, newScene)
}

async function seamOf({ seam, epoch }: SessionContext, size: Size): Promise<Past['seam']> {
  if (seam === null) return null
  try {
    return await givenSeam(seam, size, epoch)
  } catch (error) {
    throw new LeadlineError('CONTEXT_INVALID', 'The last depth map in the context cannot be read', {
      cause: error
    })
  }
}

function invalid(reason: string): never {
  throw new LeadlineError('CONTEXT_INVALID', `The context is not valid: ${reason}`)
}
