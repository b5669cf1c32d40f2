import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { executorSpec } from '../../../src/inference/executors/spec.ts'
import { servedModels } from '../../../src/inference/engine/served-models.ts'
import { silent } from '../fake-engine.ts'

const specOf = (environment: NodeJS.ProcessEnv) => executorSpec(loadConfig(environment))

test('a device names its executor', () => {
  expect(specOf({})).toMatchObject({ kind: 'ort-node' })
  expect(specOf({ LEADLINE_DEVICE: 'webgpu' })).toEqual({ kind: 'ort-webgpu' })
  expect(specOf({ LEADLINE_DEVICE: 'webgpu', LEADLINE_EXECUTOR: 'ort-node' })).toEqual({ kind: 'ort-webgpu' })
  expect(specOf({ LEADLINE_DEVICE: 'cuda' })).toMatchObject({ kind: 'ort-capi', device: 'cuda' })
})

test('WebGPU is refused what only the C API can do', () => {
  for (const setting of [
    { LEADLINE_EXECUTOR: 'ort-capi' },
    { LEADLINE_ORT_LIBRARY: '/opt/libonnxruntime.so' }
  ])
    expect(() => specOf({ LEADLINE_DEVICE: 'webgpu', ...setting })).toThrow(
      /LEADLINE_DEVICE=webgpu runs on ort-node/
    )
})

test.each(['cuda', 'tensorrt', 'webgpu'])(
  'int8 is refused on %s, where it would run on the CPU',
  (device) => {
    const wish = { LEADLINE_DEVICE: device, LEADLINE_PRECISION: 'int8' }
    expect(() => specOf(wish)).toThrow(new RegExp(`LEADLINE_DEVICE=${device}.*take fp16`))
    expect(specOf({ LEADLINE_PRECISION: 'int8' })).toMatchObject({ kind: 'ort-node' })
  }
)

test('the precision that a manifest names for the CPU is for the CPU', async () => {
  const precisionOn = async (device: string) =>
    (await servedModels(loadConfig({ LEADLINE_DEVICE: device }), silent)).get('leadline-nano')!.precision
  expect(await precisionOn('webgpu')).toBeUndefined()
  expect(await precisionOn('cuda')).toBeUndefined()
})
