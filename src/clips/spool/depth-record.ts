import { open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { decodeMessage, encodeMessage, headerBytes } from '../../wire/frame.ts'
import type { ValidFrame } from '../../wire/frame.ts'

/** CRC-32 of the message (zlib's), little-endian, and four bytes that keep the next one aligned. */
const trailerBytes = 8

/** Of a record with so many bytes of depth. */
export function recordBytes(depthBytes: number): number {
  return headerBytes + depthBytes + trailerBytes
}

/** A depth map on disk: the message of the wire, without what is another in each run, and its sum. */
export function recordOf({ header, payload }: ValidFrame): Uint8Array {
  const message = encodeMessage({ ...header, epoch: 0, queueUs: 0, computeUs: 0 }, payload)
  const record = new Uint8Array(recordBytes(payload.byteLength))
  record.set(message)
  new DataView(record.buffer).setUint32(message.byteLength, crc32(message), true)
  return record
}

/** The maps of a file, as long as each is whole and has the number that is due, from `firstSeq` on. */
export async function* readRecords(
  filePath: string,
  firstSeq: number
): AsyncGenerator<ValidFrame, void, undefined> {
  const file = await open(filePath, 'r')
  try {
    const { size } = await file.stat()
    const head = new Uint8Array(headerBytes)
    for (let at = 0, seq = firstSeq; ; seq++) {
      if ((await file.read(head, 0, headerBytes, at)).bytesRead < headerBytes) return
      const shape = headerOf(head)
      if (shape === null || shape.seq !== seq) return
      const byteLength = recordBytes(shape.width * shape.height * Float32Array.BYTES_PER_ELEMENT)
      if (at + byteLength > size) return
      const record = new Uint8Array(byteLength)
      await file.read(record, 0, byteLength, at)
      const message = record.subarray(0, record.byteLength - trailerBytes)
      const sum = new DataView(record.buffer).getUint32(message.byteLength, true)
      if (sum !== crc32(message)) return
      yield decodeMessage(message)
      at += byteLength
    }
  } finally {
    await file.close()
  }
}

/** null: no map was ever written here. */
function headerOf(head: Uint8Array): { seq: number; width: number; height: number } | null {
  try {
    return decodeMessage(head).header
  } catch {
    return null
  }
}
