import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import axe from 'axe-core'
import os from 'node:os'
import path from 'node:path'
import { unzipSync } from 'fflate'
import { pino } from 'pino'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { buildPage } from '../../scripts/browser-build/page.ts'
import { loadConfig } from '../../src/config.ts'
import { createEngine } from '../../src/inference/index.ts'
import { startTestApp, testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { addKey } from '../helpers/keys.ts'
import type { LinkProxy } from '../helpers/link-proxy.ts'
import { unreadBox } from '../helpers/large-clip.ts'
import { startLinkProxy } from '../helpers/link-proxy.ts'
import { makeClip, run, temporaryFolder } from '../video/clip-file.ts'
import { hasChromium, openBrowser } from './browser.ts'
import { centresIn, showKnownScene } from './known-scene.ts'
import { RawTab } from './raw-tab.ts'

// A browser that draws without a GPU, beside whatever else runs.
vi.setConfig({ testTimeout: 120_000 })

/** Set, the pictures of the docs are taken: of a clip whose path it is, as the camera. */
const clipForPictures = process.env['LEADLINE_TEST_PICTURES']
const docs = path.resolve(import.meta.dirname, '../../docs')

const opened: (() => Promise<unknown>)[] = []
let browser: Browser
let proxy: LinkProxy
let page: Page
let pageFolder: string
/** What the page complains of: a script that fails, a thing that the policy forbids. */
const complaints: string[] = []

beforeAll(async () => {
  if (!hasChromium) return
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-test-'))
  opened.push(() => rm(folder, { recursive: true, force: true }))
  pageFolder = path.join(folder, 'web')
  await buildPage(pageFolder)
  const config = loadConfig({})
  const { engine, close } = await createEngine({ config, log: pino({ level: 'silent' }) })
  opened.push(close)
  const gateway = await startTestApp({
    ...{ engine, pageFolder },
    config: { defaultModel: config.defaultModel }
  })
  opened.push(gateway.close)
  proxy = await startLinkProxy(Number(new URL(await gateway.listen()).port))
  opened.push(proxy.stop)
  browser = await openBrowser(
    clipForPictures === undefined ? [] : [`--use-file-for-fake-video-capture=${clipForPictures}`]
  )
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
async function open(
  viewport = { width: 1280, height: 800 },
  url = `http://127.0.0.1:${proxy.port}/`
): Promise<Page> {
  page = await browser.newPage({ viewport })
  page.setDefaultTimeout(60_000)
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/net::ERR_/.test(message.text())) complaints.push(message.text())
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
  await page.goto(url)
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
  await takePicture('page.jpg')
})

async function takePicture(name: string): Promise<void> {
  if (clipForPictures === undefined) return
  await page.emulateMedia({ colorScheme: 'dark' })
  await drawn(20)
  await page.screenshot({ path: path.join(docs, name), type: 'jpeg', quality: 88 })
}

test.skipIf(!hasChromium)(
  'a browser that does not tell of frames is asked for the time of its video',
  async () => {
    await open()
    await page.evaluate(() => Reflect.deleteProperty(HTMLVideoElement.prototype, 'requestVideoFrameCallback'))
    await page.getByRole('button', { name: 'Test clip' }).click()
    await drawn(3)
  }
)

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
  // Between two colours nothing can be read, for a tenth of a second.
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  expect(await faults()).toEqual([])
  await page.getByRole('button', { name: 'Test clip' }).focus()
  await page.keyboard.press('Enter')
  await drawn(3)
  expect(await faults()).toEqual([])
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width)
})

test.skipIf(!hasChromium)(
  'another session is had while the video runs, and a range that is locked stays',
  async () => {
    await open()
    await page.getByRole('button', { name: 'Test clip' }).click()
    await drawn(2)
    await page.getByLabel('Lock the range').check()
    const near = await page.locator('#legend-near').textContent()
    await page.locator('#mode').selectOption('single')
    await page.locator('#delivery').selectOption('lossless')
    await page.getByRole('log').getByText('another session').first().waitFor()
    await drawn(5)
    expect(await page.locator('#legend-near').textContent()).toBe(near)
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('See how far away things are').waitFor()
  }
)

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

test.skipIf(!hasChromium)(
  'points lie where the picture has them, and turn as things in space do',
  async () => {
    page = await browser.newPage()
    await showKnownScene(page)
    const front = await centresIn(page)
    expect(front.red).toEqual({ x: expect.closeTo(0.25, 1), y: expect.closeTo(0.25, 1) })
    expect(front.green).toEqual({ x: expect.closeTo(0.75, 1), y: expect.closeTo(0.75, 1) })

    const press = async (key: string) => {
      for (let i = 0; i < 3; i++) await page.locator('#cloud').press(key)
      return centresIn(page)
    }
    // Seen from farther right, what is near lies farther left, and what the view turns about stays.
    const fromRight = await press('ArrowRight')
    expect(fromRight.red!.x).toBeLessThan(front.red!.x - 0.05)
    expect(Math.abs(fromRight.green!.x - front.green!.x)).toBeLessThan(0.05)
    // From above, it lies lower.
    expect((await press('ArrowUp')).red!.y).toBeGreaterThan(fromRight.red!.y + 0.05)

    await page.locator('#cloud').press('Home')
    await page.mouse.move(160, 120)
    await page.mouse.down()
    await page.mouse.move(140, 120, { steps: 2 })
    await page.mouse.up()
    expect((await centresIn(page)).red!.x).toBeLessThan(front.red!.x - 0.05)
  }
)

test.skipIf(!hasChromium)('the points of a live picture are drawn in its colours', async () => {
  await open()
  await page.getByRole('button', { name: 'Camera' }).click()
  await drawn(1)
  await page.getByRole('radio', { name: '3D' }).check()
  await page.locator('#cloud').waitFor()
  await drawn(2)
  await page.waitForFunction(
    () => {
      const shown = document.getElementById('cloud') as HTMLCanvasElement
      const { width, height } = shown
      const copy = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d')!
      copy.drawImage(shown, 0, 0)
      return new Set(new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer)).size > 100
    },
    undefined,
    { polling: 500 }
  )
  for (let i = 0; i < 4; i++) await page.locator('#cloud').press(i < 3 ? 'ArrowLeft' : 'ArrowUp')
  await takePicture('page-points.jpg')
})

test.skipIf(!hasChromium)(
  'a hidden tab sends nothing, and goes on where it was when it is shown again',
  async () => {
    const tab = await RawTab.open(browser, `http://127.0.0.1:${proxy.port}/`)
    const text = (id: string) => () => tab.evaluate(`document.getElementById('${id}')?.textContent`)
    try {
      await eventually(text('model')).toContain('leadline')
      await tab.evaluate(`document.querySelector('[data-source=test]').click()`)
      await eventually(text('status')).toBe('Live')
      await tab.hide()
      await eventually(text('status')).toBe('Paused while this tab is hidden')
      const before = await tab.evaluate(`document.getElementById('depth').toDataURL()`)
      await tab.show()
      await eventually(text('status')).toBe('Live')
      await eventually(() => tab.evaluate(`document.getElementById('depth').toDataURL()`)).not.toBe(before)
      expect(await text('log')()).not.toContain('new')
    } finally {
      await tab.close()
    }
  }
)

/** What the page lets the browser save, under its name. */
async function saved(press: () => Promise<void>): Promise<{ name: string; file: string }> {
  const download = page.waitForEvent('download')
  await press()
  const taken = await download
  return { name: taken.suggestedFilename(), file: await taken.path() }
}

test.skipIf(!hasChromium)(
  'what is seen is saved as a picture and a video, and depth as numbers',
  async () => {
    await open()
    await page.getByRole('button', { name: 'Test clip' }).click()
    await drawn(1)
    const button = (name: string) => page.getByRole('button', { name })
    const picture = await saved(() => button('Snapshot').click())
    expect(picture.name).toMatch(/^leadline-\d{4}-\d\d-\d\d-\d{6}\.png$/)
    expect(await sharp(picture.file).metadata()).toMatchObject({ width: 1280, height: 360 })

    await button('Record video').click()
    await button('Record npz').click()
    await drawn(4)
    const npz = await saved(() => button('Stop npz').click())
    const arrays = unzipSync(await readFile(npz.file))
    expect(Object.keys(arrays)).toEqual(
      ['depth', 'times', 'scale', 'offset', 'epoch', 'quantity'].map((name) => `${name}.npy`)
    )
    const head = Buffer.from(arrays['depth.npy']!).toString('latin1', 10, 128)
    const [, frames, height, width] = /'<f4'.*\((\d+), (\d+), (\d+)\)/.exec(head)!.map(Number)
    expect(frames).toBeGreaterThanOrEqual(3)
    expect(arrays['depth.npy']!.byteLength).toBe(128 + frames! * height! * width! * 4)
    const video = await saved(() => button('Stop video').click())
    const { stdout } = await run('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=width,height',
      video.file
    ])
    expect(stdout).toContain('width=1280\nheight=360')
  }
)

test.skipIf(!hasChromium)(
  'a clip is uploaded over a cut, followed until it is done, and played',
  async () => {
    const clip = await makeClip(path.join(await temporaryFolder(), 'walk.mp4'), 8)
    await appendFile(clip, unreadBox(6_000_000))
    await open()
    const failed = page.waitForEvent('requestfailed')
    await page.locator('#clip-file').setInputFiles(clip)
    await page.waitForFunction(
      () => (document.getElementById('clip-progress') as HTMLProgressElement).value > 0
    )
    proxy.refuse()
    await failed
    proxy.heal()
    await page.getByText('Done: 8 frames').waitFor()
    expect(await page.locator('#clip-links a').allTextContents()).toEqual([
      'side-by-side.mp4',
      'depth.mp4',
      'npz'
    ])
    const played = page.locator('#clip-video')
    await played.evaluate((video: HTMLVideoElement) => video.play())
    await page.waitForFunction(() => (document.getElementById('clip-video') as HTMLVideoElement).ended)
    expect(await played.evaluate((video: HTMLVideoElement) => video.videoWidth)).toBe(192)

    await page
      .locator('#clip-file')
      .setInputFiles({ name: 'a.mp4', mimeType: 'video/mp4', buffer: Buffer.from('no') })
    await page.getByText('The file is not a video that can be decoded').waitFor()
    expect(complaints.splice(0)).toEqual([expect.stringContaining('415')])
  }
)

test.skipIf(!hasChromium)(
  'a server with keys asks for one, says of a wrong one that it is, and lets a right one in',
  async () => {
    const gateway = await testApp({ pageFolder, config: { auth: 'keys' } })
    const { value } = await addKey(gateway.keys)
    await open({ width: 1280, height: 860 }, await gateway.listen())
    const field = page.getByLabel('Key, as')
    await field.fill('lk_wrong')
    await page.getByRole('button', { name: 'Use this key' }).click()
    await page.locator('#key-note').getByText(/key/i).waitFor()
    expect(complaints.splice(0).every((line) => line.includes('401'))).toBe(true)
    await field.fill(value)
    await page.getByRole('button', { name: 'Use this key' }).click()
    await page.getByRole('button', { name: 'Test clip' }).click()
    await drawn(2)
  }
)

test.skipIf(!hasChromium)(
  'a camera that is refused is explained, and another video can be chosen',
  async () => {
    await open()
    await page.evaluate(() => {
      const refuse = () => Promise.reject(new DOMException('Permission denied', 'NotAllowedError'))
      navigator.mediaDevices.getUserMedia = refuse
    })
    await page.getByRole('button', { name: 'Camera' }).click()
    await page.getByRole('alert').getByText('The camera was not allowed').waitFor()
    expect(await faults()).toEqual([])
    await page.getByRole('button', { name: 'Choose another video' }).click()
    await page.getByRole('button', { name: 'Test clip' }).click()
    await drawn(1)
  }
)
