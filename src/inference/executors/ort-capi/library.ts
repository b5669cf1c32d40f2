import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'
import path from 'node:path'
import koffi, { type LibraryHandle } from 'koffi'
import { LeadlineError } from '../../../errors.ts'
import { loadNative } from '../../../machine/native-library.ts'

export interface OrtLibrary {
  path: string
  /** For example 1.30.0. */
  version: string
  /** The function table of this API version. Throws EXECUTOR_FAILED when the library does not have it. */
  api(version: number): bigint
  /** Must stay referenced for as long as anything of the library is in use. */
  handle: LibraryHandle
}

/** One per path and process, as the dynamic linker has it. */
const loaded = new Map<string, OrtLibrary>()

/** libonnxruntime at this path; null: the one that onnxruntime-node ships. Throws EXECUTOR_FAILED, naming the path. */
export function openOrtLibrary(libraryPath: string | null): OrtLibrary {
  const file = libraryPath ?? shippedLibrary()
  const known = loaded.get(file)
  if (known) return known
  if (!existsSync(file)) throw failed(file, 'there is no such file')
  const library = load(file)
  loaded.set(file, library)
  return library
}

/** Where onnxruntime-node keeps the library for this platform. */
export function shippedLibrary(): string {
  const root = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  const name = { darwin: 'libonnxruntime.dylib', win32: 'onnxruntime.dll' }[process.platform as string]
  return path.join(root, 'bin', 'napi-v6', process.platform, process.arch, name ?? 'libonnxruntime.so.1')
}

function load(file: string): OrtLibrary {
  let handle: LibraryHandle
  let base: bigint
  try {
    handle = loadNative(file)
    base = handle.func('void *OrtGetApiBase()')() as bigint
  } catch (cause) {
    throw failed(file, cause instanceof Error ? cause.message : String(cause), cause)
  }
  const pointerBytes = koffi.sizeof('void *')
  const getApi = koffi.decode(
    koffi.decode(base, 0, 'void *'),
    koffi.proto('void *OrtGetApi(uint32_t version)')
  ) as (version: number) => bigint | null
  const getVersion = koffi.decode(
    koffi.decode(base, pointerBytes, 'void *'),
    koffi.proto('const char *OrtGetVersionString()')
  ) as () => string
  const version = getVersion()
  return {
    ...{ path: file, version, handle },
    api: (wanted) => {
      const table = getApi(wanted)
      if (!table)
        throw failed(file, `version ${version} lacks API ${wanted}; take ONNX Runtime 1.${wanted} or newer`)
      return table
    }
  }
}

function failed(file: string, reason: string, cause?: unknown): LeadlineError {
  const detail = `ONNX Runtime cannot be loaded from ${file}: ${reason}; correct LEADLINE_ORT_LIBRARY or unset it`
  return new LeadlineError('EXECUTOR_FAILED', detail, { cause })
}
