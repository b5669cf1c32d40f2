import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { buildClient } from '../../scripts/browser-build/client.ts'

test.each([
  ['client', 15, [{ path: 'ws', kind: 'dynamic-import', external: true }]],
  ['clips', 8, []]
] as const)(
  'the SDK’s %s is one file of at most %i KB, gzipped, that imports nothing where it is not Node',
  async (name, kilobytes, expected) => {
    const { code, imports } = await buildClient(name)
    expect(gzipSync(code, { level: 9 }).byteLength).toBeLessThanOrEqual(kilobytes * 1024)
    expect(imports).toEqual(expected)
  }
)
