import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Config } from '../../config.ts'
import { asLeadlineError } from '../../errors.ts'
import { openOrtLibrary, shippedLibrary } from '../executors/ort-capi/library.ts'
import { exactWeightBits, fastInt8Instructions, thisProcessor } from '../cpu-features.ts'
import type { Finding } from './finding.ts'
import { findVulkan } from './vulkan-finding.ts'

const providerFiles = {
  shared: 'libonnxruntime_providers_shared.so',
  cuda: 'libonnxruntime_providers_cuda.so',
  tensorrt: 'libonnxruntime_providers_tensorrt.so'
} as const

/** What this machine has for each device, as files and drivers say; nothing is run on a GPU. */
export async function diagnose(config: Pick<Config, 'ortLibrary'>): Promise<Finding[]> {
  const library = findLibrary(config.ortLibrary)
  return [
    findProcessor(),
    library,
    await findGpu(),
    ...findProviders(path.dirname(config.ortLibrary ?? shippedLibrary()), library),
    ...(await findSystemLibraries()),
    await findVulkan()
  ]
}

function findProcessor(): Finding {
  const model = os.cpus()[0]?.model.trim() ?? 'unknown'
  const processor = thisProcessor()
  const fast = fastInt8Instructions(processor)
  const gain = fast.length > 0 ? `int8 pays (${fast.join(', ')})` : 'int8 gains less than elsewhere'
  const int8 = exactWeightBits(processor) === 8 ? gain : `${gain}, with weights in 7 bits`
  const cores = `${os.availableParallelism()} cores`
  return { subject: 'processor', state: 'ok', detail: `${model}, ${process.arch}, ${cores}; ${int8}` }
}

function findLibrary(file: string | null): Finding {
  const subject = 'ONNX Runtime'
  try {
    const { path: found, version } = openOrtLibrary(file)
    return { subject, state: 'ok', detail: `${version}, ${found}` }
  } catch (error) {
    return { subject, state: 'broken', detail: asLeadlineError(error).message }
  }
}

async function findGpu(): Promise<Finding> {
  const jetson = await readFile('/etc/nv_tegra_release', 'utf8').catch(() => null)
  if (jetson !== null) return { subject: 'GPU', state: 'ok', detail: `Jetson, ${jetson.split('\n')[0]}` }
  const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader']
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 10_000 })
    return { subject: 'GPU', state: 'ok', detail: stdout.trim().split('\n').join('; ') }
  } catch {
    return {
      ...{ subject: 'GPU', state: 'missing', detail: 'nvidia-smi finds none' },
      remedy:
        'for cuda and tensorrt: an NVIDIA GPU with its driver; in a container, the NVIDIA container toolkit'
    }
  }
}

/** The provider files that ONNX Runtime looks for beside its library. */
function findProviders(folder: string, library: Finding): Finding[] {
  const version = library.state === 'ok' ? library.detail.split(',')[0] : 'the same version'
  return (['cuda', 'tensorrt'] as const).map((device) => {
    const subject = `provider ${device}`
    const lacking = [providerFiles.shared, providerFiles[device]].filter(
      (name) => !existsSync(path.join(folder, name))
    )
    if (lacking.length === 0) return { subject, state: 'ok', detail: folder }
    return {
      ...{ subject, state: 'missing', detail: `${lacking.join(' and ')} not in ${folder}` },
      remedy: `copy them there from a GPU build of ONNX Runtime ${version}, exactly; or name another build's libonnxruntime in LEADLINE_ORT_LIBRARY (docs/gpu.md)`
    }
  })
}

const systemLibraries = {
  'CUDA runtime': { file: 'libcudart.so', remedy: 'for cuda: the CUDA toolkit or its runtime package' },
  cuDNN: { file: 'libcudnn.so', remedy: 'for cuda: cuDNN 9 for the CUDA version that is installed' },
  TensorRT: { file: 'libnvinfer.so', remedy: 'for tensorrt: TensorRT 10' }
} as const

async function findSystemLibraries(): Promise<Finding[]> {
  const cache = await promisify(execFile)('ldconfig', ['-p'], { timeout: 10_000 }).then(
    ({ stdout }) => stdout,
    () => ''
  )
  return Object.entries(systemLibraries).map(([subject, { file, remedy }]) => {
    const found = cache.split('\n').find((line) => line.trim().startsWith(file))
    if (found) return { subject, state: 'ok', detail: found.trim() }
    return { subject, state: 'missing', detail: `${file} is not known to the linker`, remedy }
  })
}
