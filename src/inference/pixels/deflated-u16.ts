import { constants, deflateSync, inflateSync } from 'node:zlib'
import type { Size } from '../../maps/bilinear.ts'
import { LeadlineError } from '../../errors.ts'
import { fromPlanes, toPlanes } from '../../wire/u16-planes.ts'

/**
 * A map in zlib's format (RFC 1950). Of its strategies that which looks for runs alone is the fastest on what `toPlanes` gives,
 * and takes hardly more bytes: docs/decisions/0052-u16-is-deflated.md.
 */
export function deflateU16(stored: Uint16Array, width: number): Uint8Array {
  return deflateSync(toPlanes(stored, width), { level: 1, strategy: constants.Z_RLE })
}

/** The map again, height x width. Throws FRAME_MALFORMED. */
export function inflateU16(payload: Uint8Array, { width, height }: Size): Uint16Array<ArrayBuffer> {
  const planeBytes = width * height * 2
  try {
    const planes = inflateSync(payload, { maxOutputLength: planeBytes })
    if (planes.byteLength === planeBytes) return fromPlanes(planes, width)
  } catch (cause) {
    throw malformed(payload, { width, height }, cause)
  }
  throw malformed(payload, { width, height })
}

function malformed({ byteLength }: Uint8Array, { width, height }: Size, cause?: unknown): LeadlineError {
  const text = `${byteLength} bytes are no deflated depth map of ${width}x${height}`
  return new LeadlineError('FRAME_MALFORMED', text, { cause })
}
