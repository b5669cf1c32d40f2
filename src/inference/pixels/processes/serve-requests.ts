import { asLeadlineError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'
import { returnSpareMemory } from '../../../machine/spare-memory.ts'
import { dieWithParent } from '../../executors/process/die-with-parent.ts'
import { SharedMemory } from '../../executors/process/shared-memory.ts'
import { configureDecoder } from '../preprocess.ts'
import { sharedBytes } from './shared-pixels.ts'

/**
 * The other side of `PixelProcess`: answers one request after the other, and lives no longer than its supervisor. Errors
 * would lose their class on the way. `memory` is what both see, or null.
 */
export function serveRequests<Request, Answer>(
  answer: (request: Request, memory: Uint8Array<ArrayBuffer> | null) => Promise<Answer>
): void {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
  dieWithParent()
  returnSpareMemory()
  process.on('disconnect', () => process.exit(0))
  configureDecoder()
  const [, , fd] = process.argv
  const memory = fd === undefined ? null : SharedMemory.attach(Number(fd), sharedBytes).bytes
  process.on('message', (request: Request) => {
    void answer(request, memory)
      .catch(failed)
      .then((told) => process.send?.(told))
  })
  process.send?.('ready')
}

function failed(error: unknown): { code: ErrorCode; detail: string } {
  const { code, message: detail } = asLeadlineError(error)
  return { code, detail }
}

/** Lays it at a place, where that is memory of both. Whether it was. */
export function layInto(memory: Uint8Array | null, at: number, bytes: Uint8Array): boolean {
  if (memory === null || at + bytes.byteLength > memory.byteLength) return false
  memory.set(bytes, at)
  return true
}
