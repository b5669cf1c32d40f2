import type { Plan } from '../executor.ts'
import { ringCacheBytes } from './ring-cache-layout.ts'
import { windowCacheBytes } from './window-cache-layout.ts'

/** `stateBytes` of either road into ONNX Runtime. Loads no native code. */
export function ortStateBytes(plan: Plan): number {
  return plan.mode === 'vda-window' ? windowCacheBytes(plan) : ringCacheBytes(plan)
}
