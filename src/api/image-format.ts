import { LeadlineError } from '../errors.ts'
import type { ImageCodec } from '../wire/image-signature.ts'
import { heicRemedy, imageSignature } from '../wire/image-signature.ts'

/**
 * Which image this is, by its first bytes: the label of an upload is often wrong or missing. Throws IMAGE_INVALID;
 * whether it decodes is found out later.
 */
export function imageCodec(image: Uint8Array): ImageCodec {
  const found = imageSignature(image)
  if (found === 'heic') throw new LeadlineError('IMAGE_INVALID', heicRemedy)
  if (found !== null) return found
  const start = Buffer.from(image.subarray(0, 8)).toString('hex')
  const got = image.byteLength === 0 ? 'The body is empty' : `The body starts with 0x${start}`
  throw new LeadlineError('IMAGE_INVALID', `${got}; send a JPEG, PNG, WebP, AVIF, TIFF or GIF`)
}
