import { expect, test } from 'vitest'
import { decodingMs, usualDecodingMs } from '../../../src/inference/pixels/decoding-time.ts'
import type { ImageHead } from '../../../src/inference/pixels/decoding-time.ts'
import { encodingMs, usualEncodingMs } from '../../../src/inference/pixels/encoding-time.ts'
import { sessionOptions } from '../../../src/session.ts'
import type { SessionConfig } from '../../../src/session.ts'

const hd = { width: 1920, height: 1080 }
const cinema = { width: 4096, height: 2160 }
const bomb = { width: 8192, height: 4032 }

test.each<[string, Partial<ImageHead>, boolean]>([
  ['a JPEG of a 4K camera', { source: cinema }, true],
  ['the same, along which depth is refined', { source: cinema, withGuide: true }, true],
  ['the same as a progressive JPEG', { source: cinema, withGuide: true, isProgressive: true }, false],
  ['an AVIF of 1080p', { codec: 'avif', source: hd }, true],
  ['an AVIF of 4K', { codec: 'avif', source: cinema }, false],
  ['a PNG of 33 million pixels', { codec: 'png', source: bomb }, false]
])('live frames may wait for %s to be decoded, or not', (_, head, mayWait) => {
  const usual = { codec: 'jpeg', source: hd, isProgressive: false, withGuide: false } as const
  expect(decodingMs({ ...usual, ...head }) <= usualDecodingMs).toBe(mayWait)
})

test.each<[string, SessionConfig['output'], typeof hd, boolean]>([
  ['as u16 of 4K', {}, cinema, true],
  ['as a refined PNG of 1080p', { format: 'png16', refine: true }, hd, true],
  ['as a PNG of 4K', { format: 'png16' }, cinema, false],
  ['as refined u16 of 4K', { refine: true }, cinema, false],
  ['as deflated u16 of 33 million pixels', { compression: 'deflate' }, bomb, false],
  ['as f32 of 33 million pixels', { format: 'f32' }, bomb, false]
])('live frames may wait for a map %s to be encoded, or not', (_, wishes, size, mayWait) => {
  const { output } = sessionOptions({ output: { size: 'source', ...wishes } }, 'any')
  expect(encodingMs(size, output) <= usualEncodingMs).toBe(mayWait)
})
