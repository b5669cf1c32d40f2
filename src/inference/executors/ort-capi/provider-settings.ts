import type { Precision } from '../../../manifest.ts'
import type { DeviceSpec } from './device-spec.ts'

/** What a session's settings depend on beside the device. */
export interface Computation {
  precision: Precision
  /** Of ONNX Runtime, for example 1.30.0. */
  version: string
}

/** ONNX Runtime takes all values as text, and refuses names that it does not know. */
export type Settings = Record<string, string>

export function cudaSettings(
  { deviceId = 0, workspaceBytes }: DeviceSpec,
  { precision, version }: Computation
): Settings {
  return {
    device_id: String(deviceId),
    // Grow by what is asked for: doubling would take memory that was promised to caches.
    arena_extend_strategy: 'kSameAsRequested',
    // Products of float32 would be of TF32, which keeps 10 bits of 23.
    ...(precision === 'fp32' && isAtLeast(version, 18) && { use_tf32: '0' }),
    ...(workspaceBytes !== undefined && { gpu_mem_limit: String(workspaceBytes) })
  }
}

/** Products of float32 are of TF32 here, for want of a setting. */
export function tensorRtSettings(
  { deviceId = 0, workspaceBytes, engineDir }: DeviceSpec,
  { precision }: Pick<Computation, 'precision'>
): Settings {
  return {
    device_id: String(deviceId),
    trt_fp16_enable: precision === 'fp16' ? '1' : '0',
    // Sums of squares overflow half precision.
    ...(precision === 'fp16' && { trt_layer_norm_fp32_fallback: '1' }),
    // The engines of one session run one after the other.
    trt_context_memory_sharing_enable: '1',
    ...(workspaceBytes !== undefined && { trt_max_workspace_size: String(workspaceBytes) }),
    ...(engineDir !== undefined && {
      trt_engine_cache_enable: '1',
      trt_engine_cache_path: engineDir,
      trt_timing_cache_enable: '1',
      trt_timing_cache_path: engineDir
    })
  }
}

/** Of 1.x, by its second number. */
function isAtLeast(version: string, minor: number): boolean {
  const [major = 0, second = 0] = version.split('.').map(Number)
  return major > 1 || second >= minor
}
