import { expect, test } from 'vitest'
import { deviceComplaint } from '../../../src/inference/diagnosis/device-complaint.ts'

const where =
  '/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1988 onnxruntime::Provider& Get()'
const folder = '/srv/app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64'

test.each([
  [
    `ONNX Runtime, updateCudaOptions: ${where} [ONNXRuntimeError] : 1 : FAIL : Failed to load library ` +
      `${folder}/libproviders_cuda.so with error: libcudnn.so.9: cannot open shared object file: No such file or directory\n`,
    'libproviders_cuda.so cannot be loaded (libcudnn.so.9: cannot open shared object file: No such file or directory)'
  ],
  [
    `${where} [ONNXRuntimeError] : 1 : FAIL : Failed to load library ${folder}/libshared.so with error: ` +
      `${folder}/libshared.so: cannot open shared object file: No such file or directory\n`,
    'libshared.so cannot be loaded (cannot open shared object file: No such file or directory)'
  ],
  [`ONNX Runtime: ${where} [ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : no\n  device`, 'no device'],
  ['WebGPU found no adapter; install a Vulkan driver\n', 'WebGPU found no adapter; install a Vulkan driver']
])('of what a device says, the cause is told: %j', (message, told) => {
  expect(deviceComplaint(message)).toBe(told)
})

test('a cause of many lines is cut off, our own words are not', () => {
  const long = 'word '.repeat(200).trim()
  expect(deviceComplaint(`[ONNXRuntimeError] : 1 : FAIL : ${long}`).length).toBeLessThan(170)
  expect(deviceComplaint(long)).toBe(long)
})
