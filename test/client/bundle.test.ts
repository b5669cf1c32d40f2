import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { buildClient } from '../../scripts/browser-build/client.ts'

test('the SDK is one file of at most 15 KB, gzipped, that imports nothing where it is not Node', async () => {
  const { code, imports } = await buildClient()
  expect(gzipSync(code, { level: 9 }).byteLength).toBeLessThanOrEqual(15 * 1024)
  expect(imports).toEqual([{ path: 'ws', kind: 'dynamic-import', external: true }])
})
