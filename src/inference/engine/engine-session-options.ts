import type { LeadlineError } from '../../errors.ts'
import type { FrameMeter } from '../../metering/frame-stages.ts'
import type { Quantity } from '../../wire/frame.ts'
import type { ServiceClass, Tenant } from '../../metering/measures.ts'
import type { SessionEvent, SessionOptions } from '../../session.ts'
import type { PixelWork } from '../pixels/pixel-work.ts'
import type { PrepareOptions } from '../pixels/preprocess.ts'
import type { Past } from '../recovery/past.ts'
import type { SessionPlan } from '../session-plan.ts'

export interface EngineSessionOptions {
  id: string
  tenant: Tenant
  service: ServiceClass
  plan: SessionPlan
  options: SessionOptions
  quantity: Quantity
  prepare: PrepareOptions
  pixels: PixelWork
  meter?: FrameMeter
  /** Whether frames may be kept, to make a lost latent cache anew. */
  keepsFrames: boolean
  /** What it goes on from; null: nothing. */
  past: Past | null
  emit: (event: SessionEvent) => void
  /** Called whenever a frame may have become ready for its step. */
  onReady: () => void
  /** Called when nothing that follows could be right. */
  onFailure: (failure: LeadlineError) => void
}
