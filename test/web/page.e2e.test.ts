import { mkdtemp, rm } from 'node:fs/promises'
import axe from 'axe-core'
import os from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { buildPage } from '../../scripts/browser-build/page.ts'
import { loadConfig } from '../../src/config.ts'
import { createEngine } from '../../src/inference/index.ts'
import { startTestApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import type { LinkProxy } from '../helpers/link-proxy.ts'
import { startLinkProxy } from '../helpers/link-proxy.ts'
import { hasChromium, openBrowser } from './browser.ts'

const opened: (() => Promise<unknown>)[] = []
let browser: Browser
let proxy: LinkProxy
let page: Page
/** What the page complains of: a script that fails, a thing that the policy forbids. */
const complaints: string[] = []

beforeAll(async () => {
  if (!hasChromium) return
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-test-'))
  opened.push(() => rm(folder, { recursive: true, force: true }))
  await buildPage(folder)
  const config = loadConfig({})
  const { engine, close } = await createEngine({ config, log: pino({ level: 'silent' }) })
  opened.push(close)
  const gateway = await startTestApp({
    ...{ engine, pageFolder: folder },
    config: { defaultModel: config.defaultModel }
  })
  opened.push(gateway.close)
  proxy = await startLinkProxy(Number(new URL(await gateway.listen()).port))
  opened.push(proxy.stop)
  browser = await openBrowser()
  opened.push(() => browser.close())
}, 120_000)
afterAll(async () => {
  for (const close of opened.reverse()) await close()
})
afterEach(async () => {
  await page?.close()
  expect(complaints.splice(0)).toEqual([])
})

/** The page as a stranger gets it, with each drawing of depth counted. */
async function open(viewport = { width: 1280, height: 860 }): Promise<Page> {
  page = await browser.newPage({ viewport })
  page.setDefaultTimeout(60_000)
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/ERR_CONNECTION|ERR_EMPTY/.test(message.text()))
      complaints.push(message.text())
  })
  await page.addInitScript(() => {
    const { putImageData } = CanvasRenderingContext2D.prototype
    const counted = window as unknown as { depthMaps: number }
    counted.depthMaps = 0
    CanvasRenderingContext2D.prototype.putImageData = function (...args: unknown[]) {
      if (this.canvas.id === 'depth') counted.depthMaps++
      return Reflect.apply(putImageData, this, args) as undefined
    }
  })
  await page.goto(`http://127.0.0.1:${proxy.port}/`)
  return page
}

/** Resolves when so many more depth maps are drawn. */
async function drawn(count: number): Promise<void> {
  await page.evaluate(() => ((window as unknown as { depthMaps: number }).depthMaps = 0))
  await page.waitForFunction(
    (wanted) => (window as unknown as { depthMaps: number }).depthMaps >= wanted,
    count
  )
}

test.skipIf(!hasChromium)('a camera comes back as depth, sixty times and in colours', async () => {
  await open()
  await page.getByRole('button', { name: 'Camera' }).click()
  await drawn(60)
  expect(await page.getByRole('status').first().textContent()).toBe('Live')
  const shades = await page.evaluate(() => {
    const canvas = document.getElementById('depth') as HTMLCanvasElement
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    return new Set(new Uint32Array(data.buffer)).size
  })
  expect(shades).toBeGreaterThan(10)
})

/** What axe finds that keeps people from using the page, with where it is. */
async function faults(): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run())
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

test.skipIf(!hasChromium).each([
  ['wide and light', { width: 1280, height: 860 }, 'light'],
  ['on a phone and dark', { width: 390, height: 844 }, 'dark']
] as const)('%s, it fits, and nothing keeps anybody out', async (_, viewport, colorScheme) => {
  await open(viewport)
  await page.emulateMedia({ colorScheme })
  expect(await faults()).toEqual([])
  await page.getByRole('button', { name: 'Test clip' }).focus()
  await page.keyboard.press('Enter')
  await drawn(3)
  expect(await faults()).toEqual([])
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width)
})

test.skipIf(!hasChromium)(
  'a network that is cut is waited for, and the session goes on exactly',
  async () => {
    await open()
    await page.getByRole('button', { name: 'Camera' }).click()
    await drawn(3)
    const { connections } = proxy
    proxy.refuse()
    const log = page.getByRole('log')
    await log.getByText('Trying again').waitFor()
    expect(await page.getByRole('status').first().textContent()).toBe('Connection lost, trying again')
    await eventually(() => proxy.connections).toBeGreaterThanOrEqual(connections + 2)
    proxy.heal()
    await log.getByText('as if nothing had happened').waitFor()
    expect(await log.locator('[data-word]').first().getAttribute('data-word')).toBe('exact')
    await drawn(3)
  }
)
