import type { Config } from '../../config.ts'
import { LeadlineError } from '../../errors.ts'
import type { FakeExecutorOptions } from './fake/fake.ts'
import type { OrtCapiOptions } from './ort-capi/ort-capi.ts'

/** Which executor runs, and how. */
export type ExecutorSpec =
  | ({ kind: 'fake' } & Pick<FakeExecutorOptions, 'maxBatch' | 'stepMs' | 'stuckWidth'>)
  | { kind: 'ort-node'; threads: number }
  | { kind: 'ort-webgpu' }
  | ({ kind: 'ort-capi' } & OrtCapiOptions)

export type DeviceConfig = Pick<
  Config,
  | 'executor'
  | 'threads'
  | 'device'
  | 'deviceId'
  | 'ortLibrary'
  | 'workspaceBytes'
  | 'engineDir'
  | 'maxBatch'
  | 'precision'
>

/** Throws CONFIG_INVALID for an executor that has no such device. */
export function executorSpec(config: DeviceConfig): ExecutorSpec {
  const { executor, threads, device, deviceId, ortLibrary, workspaceBytes, engineDir, maxBatch, precision } =
    config
  if (executor === 'fake') return { kind: 'fake' }
  if (precision === 'int8' && device !== 'cpu')
    throw new LeadlineError(
      'CONFIG_INVALID',
      `LEADLINE_PRECISION=int8 is for the CPU: on LEADLINE_DEVICE=${device} its products would run there all the same, ` +
        'beside the device; take fp16, or fp32'
    )
  if (device === 'webgpu') return webGpuSpec(config)
  const needsCapi = device !== 'cpu' || ortLibrary !== null || maxBatch > 1 || precision === 'fp16'
  if (executor === 'ort-node' && needsCapi)
    throw new LeadlineError(
      'CONFIG_INVALID',
      `LEADLINE_EXECUTOR=ort-node runs on the CPU with its own library, one row a step, not in fp16; for ` +
        `LEADLINE_DEVICE=${device}, LEADLINE_MAX_BATCH=${maxBatch}, LEADLINE_PRECISION=${precision} take ort-capi or auto`
    )
  if (executor !== 'ort-capi' && !needsCapi) return { kind: 'ort-node', threads }
  return {
    ...{ kind: 'ort-capi', device, deviceId, threads, maxBatch },
    ...(ortLibrary !== null && { library: ortLibrary }),
    ...(workspaceBytes !== null && { workspaceBytes }),
    ...(engineDir !== null && { engineDir })
  }
}

function webGpuSpec({ executor, ortLibrary }: DeviceConfig): ExecutorSpec {
  if (executor === 'ort-capi' || ortLibrary !== null)
    throw new LeadlineError(
      'CONFIG_INVALID',
      'LEADLINE_DEVICE=webgpu runs on ort-node with its own library; leave LEADLINE_EXECUTOR and LEADLINE_ORT_LIBRARY unset'
    )
  return { kind: 'ort-webgpu' }
}
