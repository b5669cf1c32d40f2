import { asLeadlineError } from '../../../errors.ts'
import { dieWithParent } from '../../executors/process/die-with-parent.ts'
import { SharedMemory } from '../../executors/process/shared-memory.ts'
import { configureDecoder, LargerThanLane } from '../preprocess.ts'
import { receiveFrame } from '../received-frame.ts'
import { sharedBytes } from './messages.ts'
import type { DecodeAnswer, DecodeRequest } from './messages.ts'

/** The decoder process: decodes one image after the other, and lives no longer than its supervisor. */
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
dieWithParent()
process.on('disconnect', () => process.exit(0))
configureDecoder()

const [, , fd] = process.argv
const memory = fd === undefined ? null : SharedMemory.attach(Number(fd), sharedBytes).bytes
process.on('message', (request: DecodeRequest) => void answer(request).then((told) => process.send?.(told)))
process.send?.('ready')

async function answer({ header, options, payload: sent }: DecodeRequest): Promise<DecodeAnswer> {
  const payload = (typeof sent === 'number' ? memory!.subarray(0, sent) : sent) as Uint8Array<ArrayBuffer>
  try {
    const { prepared, guide } = await receiveFrame({ header, payload, message: payload }, options)
    const { rgb, source, payloadDigest } = prepared
    const luma = guide?.luma ?? new Uint8Array(0)
    const isLaid = typeof sent === 'number' && lay(sent, rgb, luma)
    const pixels = isLaid ? null : { rgb, luma }
    return { source, payloadDigest, contrast: guide?.contrast ?? null, pixels }
  } catch (error) {
    if (error instanceof LargerThanLane) return 'large'
    const { code, message: detail } = asLeadlineError(error)
    return { code, detail }
  }
}

function lay(at: number, rgb: Uint8Array, luma: Uint8Array): boolean {
  if (at + rgb.byteLength + luma.byteLength > sharedBytes) return false
  memory!.set(rgb, at)
  memory!.set(luma, at + rgb.byteLength)
  return true
}
