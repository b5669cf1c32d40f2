import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { buildClient } from '../../scripts/browser-build/client.ts'

const bundle = Buffer.from(await buildClient())

test('the SDK is one file of at most 15 KB, gzipped, that imports nothing', () => {
  expect(gzipSync(bundle, { level: 9 }).byteLength).toBeLessThanOrEqual(15_000)
  expect(bundle.toString()).not.toMatch(/\bfrom\s*["']|^\s*import\s*["']/m)
  expect(bundle.toString().match(/\bimport\([^)]*\)/g)).toEqual(['import("ws")'])
})
