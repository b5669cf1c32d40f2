import { expect, onTestFinished, test } from 'vitest'
import type { DepthResult } from '../../src/client/index.ts'
import { connectStream } from '../../src/client/index.ts'
import { inflate } from '../../src/client/depth-result.ts'
import type { SessionConfig } from '../../src/session.ts'
import { testApp } from '../helpers/build-app.ts'

const size = { width: 84, height: 56 }
const data = Uint8Array.from({ length: size.width * size.height * 3 }, (_, i) => (i * 7 + (i * i) / 60) % 256)

async function depthOf(url: string, output: SessionConfig['output']): Promise<DepthResult[]> {
  const config: SessionConfig = { delivery: 'lossless', output: { size: 'source', ...output } }
  const stream = await connectStream({ url, config })
  onTestFinished(() => stream.abort())
  for (let i = 0; i < 3; i++) await stream.send({ data, codec: 'rgb24', ...size })
  await stream.close()
  const found: DepthResult[] = []
  for await (const result of stream.results) found.push(result)
  return found
}

test('depth that goes compressed over the wire is read as if it had not', async () => {
  const { listen } = await testApp()
  const url = await listen()
  const plain = await depthOf(url, {})
  const compressed = await depthOf(url, { compression: 'deflate' })
  expect(compressed).toHaveLength(3)
  for (const [i, { header, payload, values }] of compressed.entries()) {
    expect(header).toMatchObject({ codec: 'raw', dtype: 'u16', ...size })
    expect(Buffer.compare(payload, plain[i]!.payload)).toBe(0)
    expect(values()).toEqual(plain[i]!.values())
  }
})

test('compression is for u16 alone, and says so', async () => {
  const { listen } = await testApp()
  const asked = depthOf(await listen(), { format: 'f32', compression: 'deflate' })
  await expect(asked).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/only u16 is compressed: ask for it, or leave compression out/) as string
  })
})

test('a map that is damaged on its way is an error with a name', async () => {
  const { listen } = await testApp()
  const [result] = await depthOf(await listen(), {})
  const damaged = { ...result!, header: { ...result!.header, codec: 'deflate' as const } }
  await expect(inflate(damaged)).rejects.toMatchObject({ code: 'FRAME_MALFORMED' })
})
