import koffi, { type LibraryHandle } from 'koffi'

/** A run may parse graphs and build engines deep down its stack; koffi's default for its threads is 128 KiB. */
const stackBytes = 8 * 2 ** 20

/** Never unloaded, because threads of a library may outlive everything that was made from it. */
const loaded = new Map<string | null, LibraryHandle>()

/**
 * The library at this path, or with null what this process is linked with. koffi takes its settings before the first one
 * alone, whichever that is: hence no other place loads any. Throws koffi's own errors.
 */
export function loadNative(path: string | null): LibraryHandle {
  if (loaded.size === 0) koffi.config({ async_stack_size: stackBytes, sync_stack_size: stackBytes })
  const library = loaded.get(path) ?? koffi.load(path)
  loaded.set(path, library)
  return library
}
