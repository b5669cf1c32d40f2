import { expect, test } from 'vitest'
import { withEngineFolder } from '../../../src/inference/executors/ort-capi/engine-folder.ts'

test('a folder of engines that cannot be made is refused with its setting', async () => {
  const device = { device: 'tensorrt', deviceId: 0, threads: 1, engineDir: '/dev/null/engines' } as never
  const made = withEngineFolder(device, { version: '1.30.0', graph: new Uint8Array(4) })
  await expect(made).rejects.toMatchObject({
    code: 'STORAGE_UNUSABLE',
    message: expect.stringMatching(
      /\/dev\/null\/engines cannot be written: .* set LEADLINE_ENGINE_DIR/
    ) as string
  })
})
