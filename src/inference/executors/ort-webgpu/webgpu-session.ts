import { InferenceSession } from 'onnxruntime-node'
import { LeadlineError } from '../../../errors.ts'
import { native } from '../ort-node/ort-run.ts'

/**
 * Loads a model for WebGPU, all of it: a node that the provider lacks is an error, not a detour over the CPU. The outputs
 * named stay on the device; whoever runs the session disposes them, before it is released. A run always fetches every
 * output: ONNX Runtime 1.30 finds an output's place by its position in the list of a session's first run. Throws
 * EXECUTOR_FAILED.
 */
export async function loadForWebGpu(
  graph: Uint8Array,
  deviceOutputs: readonly string[]
): Promise<InferenceSession> {
  try {
    return await native('load the network on WebGPU', InferenceSession.create(graph, options(deviceOutputs)))
  } catch (error) {
    if (!(error instanceof LeadlineError && /adapter/.test(error.message))) throw error
    const remedy =
      'it takes a Vulkan driver (of Mesa, version 25 or later); “leadline doctor” lists those found'
    throw new LeadlineError('EXECUTOR_FAILED', `${error.message}; ${remedy}`, { cause: error })
  }
}

function options(deviceOutputs: readonly string[]): InferenceSession.SessionOptions {
  const locations = Object.fromEntries(deviceOutputs.map((name) => [name, 'gpu-buffer' as const]))
  return {
    executionProviders: ['webgpu'],
    ...(deviceOutputs.length > 0 && { preferredOutputLocation: locations }),
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    extra: { session: { disable_cpu_ep_fallback: '1' } }
  }
}
