import { expect, test } from 'vitest'
import {
  cudaSettings,
  tensorRtSettings
} from '../../../src/inference/executors/ort-capi/provider-settings.ts'

const version = '1.30.0'

test('TensorRT computes in half precision where that is asked for, with norms in float32', () => {
  const spec = { device: 'tensorrt' } as const
  expect(tensorRtSettings(spec, { precision: 'fp16' })).toMatchObject({
    trt_fp16_enable: '1',
    trt_layer_norm_fp32_fallback: '1'
  })
  expect(tensorRtSettings(spec, { precision: 'fp32' })).toMatchObject({ trt_fp16_enable: '0' })
})

test('float32 on CUDA is no TF32, where ONNX Runtime knows the setting', () => {
  const spec = { device: 'cuda', deviceId: 2, workspaceBytes: 2 ** 30 } as const
  const settings = cudaSettings(spec, { precision: 'fp32', version })
  expect(settings).toMatchObject({ use_tf32: '0', device_id: '2', gpu_mem_limit: '1073741824' })
  expect(cudaSettings(spec, { precision: 'fp32', version: '1.17.3' })).not.toHaveProperty('use_tf32')
  expect(cudaSettings(spec, { precision: 'fp16', version })).not.toHaveProperty('use_tf32')
})
