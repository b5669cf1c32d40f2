import path from 'node:path'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { expect, onTestFinished, test, vi } from 'vitest'
import type * as Sdk from '../../src/client/index.ts'
import type { SessionConfig } from '../../src/session.ts'
import { testApp } from '../helpers/build-app.ts'
import { hasChromium, openBrowser } from './browser.ts'

// A browser is started, beside whatever else runs.
vi.setConfig({ testTimeout: 120_000 })

const client = path.resolve(import.meta.dirname, '../../src/client')

/** The SDK in Chromium, as `sdk`, on a page of the server's own origin. */
async function openSdk(url: string): Promise<Page> {
  const { outputFiles } = await build({
    stdin: { contents: "export * from './index.ts'", resolveDir: client },
    ...{ bundle: true, format: 'iife', globalName: 'sdk', target: 'es2022', external: ['ws'], write: false }
  })
  const browser = await openBrowser()
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  await page.goto(`${url}/livez`)
  await page.evaluate(outputFiles[0]!.text)
  return page
}

interface Received {
  codec: string
  payload: number[]
  values: number[]
}

/** Depth maps of three small pictures, as a program in the page sees them. */
function depthIn(page: Page, url: string, output: SessionConfig['output']): Promise<Received[]> {
  return page.evaluate(
    async ([url, output]) => {
      const { sdk } = window as unknown as { sdk: typeof Sdk }
      const [width, height] = [84, 56]
      const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7 + (i * i) / 60) % 256)
      const config = { delivery: 'lossless', output: { size: 'source', ...output } } as const
      const stream = await sdk.connectStream({ url, config })
      for (let i = 0; i < 3; i++) await stream.send({ data, codec: 'rgb24', width, height })
      await stream.close()
      const found: Received[] = []
      for await (const { header, payload, values } of stream.results)
        found.push({ codec: header.codec, payload: [...payload], values: [...values()] })
      return found
    },
    [url, output] as const
  )
}

test.skipIf(!hasChromium)(
  'depth that goes compressed over the wire is unpacked by the browser itself, bit for bit',
  async () => {
    const { listen } = await testApp()
    const url = await listen()
    const page = await openSdk(url)
    const bytes: number[] = []
    page.on('websocket', (socket) => {
      const index = bytes.push(0) - 1
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload !== 'string') bytes[index]! += payload.byteLength
      })
    })
    const plain = await depthIn(page, url, {})
    const compressed = await depthIn(page, url, { compression: 'deflate' })
    expect(plain).toHaveLength(3)
    expect(new Set(plain.map(({ values }) => new Set(values).size > 10))).toEqual(new Set([true]))
    expect(compressed).toEqual(plain)
    // What went over the wire was another thing.
    expect(bytes).toHaveLength(2)
    expect(bytes[1]!).toBeLessThan(bytes[0]! * 0.9)
  }
)
