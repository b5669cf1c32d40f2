import type { Executor, Plan } from '../executor.ts'
import type { ExecutorSpec } from './spec.ts'
import { FakeExecutor, fakeStateBytes } from './fake/fake.ts'
import { ortStateBytes } from '../latents/state-bytes.ts'

/** The executor that a spec names. Native code is loaded only where it is wanted, which is in a process of its own. */
export async function buildExecutor(spec: ExecutorSpec): Promise<Executor> {
  if (spec.kind === 'fake') return new FakeExecutor(spec)
  if (spec.kind === 'ort-capi') {
    const { OrtCapiExecutor } = await import('./ort-capi/ort-capi.ts')
    return new OrtCapiExecutor(spec)
  }
  if (spec.kind === 'ort-webgpu') {
    const { OrtWebGpuExecutor } = await import('./ort-webgpu/ort-webgpu.ts')
    return new OrtWebGpuExecutor()
  }
  const { OrtThreadsExecutor } = await import('./ort-node/ort-threads.ts')
  return OrtThreadsExecutor.start(spec)
}

/** `stateBytes` of the executor that a spec names, without building it. */
export const stateBytesOf: Record<ExecutorSpec['kind'], (plan: Plan) => number> = {
  fake: fakeStateBytes,
  'ort-node': ortStateBytes,
  'ort-capi': ortStateBytes,
  'ort-webgpu': ortStateBytes
}
