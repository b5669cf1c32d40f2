import { expect, test } from 'vitest'
import { UploadGate } from '../../src/clips/upload-gate.ts'

function gateTo(waiting: number) {
  const queue = { waiting: async () => waiting }
  return new UploadGate({ maxWaiting: 4, maxUploads: 2 }, queue)
}

test('uploads are bounded by themselves, and each counts until it is added or given up', async () => {
  const gate = gateTo(0)
  const end = await gate.begin()
  await gate.begin()
  await expect(gate.begin()).rejects.toMatchObject({ code: 'CLIPS_BUSY', retryAfterMs: 30_000 })
  end()
  end()
  await gate.begin()
  await expect(gate.begin()).rejects.toThrow('2 clips are being uploaded')
})

test('while as many clips wait as may, no upload begins, and none is counted', async () => {
  const gate = gateTo(4)
  for (let i = 0; i < 3; i++) await expect(gate.begin()).rejects.toThrow('4 clips are waiting')
})
