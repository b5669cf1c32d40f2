import type { Precision } from '../../../manifest.ts'
import type { CApi, Pointer } from './c-api.ts'
import type { DeviceSpec } from './device-spec.ts'
import { cudaSettings, tensorRtSettings, type Settings } from './provider-settings.ts'

/** OrtAllocatorType and OrtMemType of onnxruntime_c_api.h. */
const deviceAllocator = 0
const defaultMemory = 0
const arenaAllocator = 1

/** Of every session; ONNX Runtime takes all values as text. */
const sessionSettings = {
  // Threads that wait for work must not burn the cores that decode video.
  'session.intra_op.allow_spinning': '0',
  // Softmax gives hidden slots weights of 4e-39, and processors are slow at numbers below 1e-38.
  'session.set_denormal_as_zero': '1'
}

/** Of one that takes its memory from the arena of its environment, the workspace. */
const sharesWorkspace = { 'session.use_env_allocators': '1' }

/** OrtMemoryInfo of the memory that the device computes in. To be released. */
export function deviceMemory(api: CApi, { device, deviceId = 0 }: DeviceSpec): Pointer {
  if (device === 'cpu') return hostMemory(api)
  return api.make('createMemoryInfo', 'Cuda', deviceAllocator, deviceId, defaultMemory)
}

export function hostMemory(api: CApi): Pointer {
  return api.make('createCpuMemoryInfo', deviceAllocator, defaultMemory)
}

/** OrtMemoryInfo of what the workspace's arena holds. To be released. */
export function workspaceMemory(api: CApi, spec: DeviceSpec): Pointer {
  if (spec.device !== 'cpu') return deviceMemory(api, spec)
  return api.make('createCpuMemoryInfo', arenaAllocator, defaultMemory)
}

/** OrtSessionOptions for the device. To be released. Throws EXECUTOR_FAILED when its provider is not there. */
export function sessionOptions(
  api: CApi,
  spec: DeviceSpec,
  {
    precision,
    isBounded
  }: { precision: Precision; /** Whether there is a workspace to share. */ isBounded: boolean }
): Pointer {
  const computation = { precision, version: api.library.version }
  const options = api.make('createSessionOptions')
  try {
    api.call('setSessionLogSeverityLevel', options, 3)
    api.call('setIntraOpNumThreads', options, spec.threads ?? 1)
    api.call('setInterOpNumThreads', options, 1)
    for (const [key, value] of Object.entries({ ...sessionSettings, ...(isBounded && sharesWorkspace) }))
      api.call('addSessionConfigEntry', options, key, value)
    if (spec.device === 'tensorrt')
      appendProvider(api, options, 'tensorrt', tensorRtSettings(spec, computation))
    // What TensorRT does not take, CUDA does.
    if (spec.device !== 'cpu') appendProvider(api, options, 'cuda', cudaSettings(spec, computation))
    return options
  } catch (error) {
    api.release('sessionOptions', options)
    throw error
  }
}

/** The C functions of each provider. */
const providers = {
  cuda: {
    create: 'createCudaOptions',
    update: 'updateCudaOptions',
    append: 'appendCuda',
    release: 'cudaOptions'
  },
  tensorrt: {
    create: 'createTensorRtOptions',
    update: 'updateTensorRtOptions',
    append: 'appendTensorRt',
    release: 'tensorRtOptions'
  }
} as const

function appendProvider(api: CApi, options: Pointer, name: keyof typeof providers, settings: Settings): void {
  const { create, update, append, release } = providers[name]
  const [keys, values] = [Object.keys(settings), Object.values(settings)]
  const provider = api.make(create)
  try {
    api.call(update, provider, keys, values, keys.length)
    api.call(append, options, provider)
  } finally {
    api.release(release, provider)
  }
}
