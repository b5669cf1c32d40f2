import { open, rename, rm, writeFile } from 'node:fs/promises'
import { LeadlineError } from '../errors.ts'
import { encodeFloat16 } from '../maps/float16.ts'
import type { DepthFile, DepthFileOptions } from './depth-file.ts'
import { DepthTrack } from './depth-track.ts'
import { standardOutput } from './names.ts'
import { plain } from './picture-archive.ts'

/** f32: the values of one map after the other, row by row, as little-endian floats, and beside it what they are, as JSON. */
export function createRaw(options: DepthFileOptions): Promise<DepthFile> {
  return create(options, 'float32', (values) => values)
}

/** f16: the same in half the bytes, within 2^-11 of a value, infinite beyond 65504. */
export function createHalfRaw(options: DepthFileOptions): Promise<DepthFile> {
  return create(options, 'float16', encodeFloat16)
}

async function create(
  options: DepthFileOptions,
  type: 'float32' | 'float16',
  pack: (values: Float32Array) => Float32Array | Uint16Array
): Promise<DepthFile> {
  const track = new DepthTrack(options)
  const sink = options.path === standardOutput ? toStandardOutput() : await toFile(options.path)
  return {
    async write(map) {
      const { buffer, byteOffset, byteLength } = pack(map.values)
      await sink.write(new Uint8Array(buffer, byteOffset, byteLength))
      track.add(map, plain)
    },
    close: () => sink.close(JSON.stringify({ type, ...(JSON.parse(track.json()) as object) })),
    abort: () => sink.abort()
  }
}

interface Sink {
  write(bytes: Uint8Array): Promise<void>
  close(json: string): Promise<void>
  abort(): Promise<void>
}

/** Both files appear under their names when they are whole. */
async function toFile(filePath: string): Promise<Sink> {
  const partPath = `${filePath}.part`
  const file = await open(partPath, 'w')
  let isOpen = true
  return {
    write: (bytes) => file.appendFile(bytes),
    async close(json) {
      isOpen = false
      await file.close()
      await writeFile(`${filePath}.json`, json)
      await rename(partPath, filePath)
    },
    async abort() {
      if (!isOpen) return
      isOpen = false
      await file.close()
      await rm(partPath, { force: true })
    }
  }
}

/** As fast as it is read. Throws CONNECTION_LOST where nobody reads any more. */
function toStandardOutput(): Sink {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) =>
          error ? reject(new LeadlineError('CONNECTION_LOST', 'Nobody reads the depth any more')) : resolve()
        )
      }),
    close: () => Promise.resolve(),
    abort: () => Promise.resolve()
  }
}
