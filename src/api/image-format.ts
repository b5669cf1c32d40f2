import { LeadlineError } from '../errors.ts'
import type { Codec } from '../frame.ts'

/** How each format begins. The label of an upload is often wrong or missing; its first bytes are not. */
const signatures: readonly { codec: Codec; at: number; bytes: readonly number[] }[] = [
  { codec: 'jpeg', at: 0, bytes: [0xff, 0xd8, 0xff] },
  { codec: 'png', at: 0, bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
  { codec: 'webp', at: 8, bytes: [0x57, 0x45, 0x42, 0x50] }
]

/** Which image this is, by its first bytes. Throws IMAGE_INVALID; whether it decodes is found out later. */
export function imageCodec(image: Uint8Array): Codec {
  const match = signatures.find(({ at, bytes }) => bytes.every((byte, i) => image[at + i] === byte))
  if (match !== undefined) return match.codec
  const start = Buffer.from(image.subarray(0, 8)).toString('hex')
  const got = image.byteLength === 0 ? 'The body is empty' : `The body starts with 0x${start}`
  throw new LeadlineError('IMAGE_INVALID', `${got}; send a JPEG, PNG or WebP`)
}
