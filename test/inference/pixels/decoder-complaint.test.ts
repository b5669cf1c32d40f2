import { expect, test } from 'vitest'
import { decoderComplaint } from '../../../src/inference/pixels/decoder-complaint.ts'

test.each([
  [
    'Input buffer has corrupt header: VipsJpeg: premature end of JPEG image\nVipsJpeg: Bogus DQT index 9\nVipsJpeg: premature end of JPEG image',
    'premature end of JPEG image; Bogus DQT index 9'
  ],
  [
    'VipsJpeg: Corrupt JPEG data: premature end of data segment',
    'Corrupt JPEG data: premature end of data segment'
  ],
  ['vipspng: libpng read error', 'libpng read error'],
  ['Input buffer has corrupt header:', 'its header is damaged'],
  ['Input buffer contains unsupported image format', 'Input buffer contains unsupported image format']
])('of %j a client is told "%s"', (message, told) => {
  expect(decoderComplaint(message)).toBe(told)
})
