import { expect, test, vi } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { hasChromium } from './browser.ts'
import { centresIn, showKnownScene } from './known-scene.ts'
import { RawTab } from './raw-tab.ts'
import { phone, ServedPage, wide } from './served-page.ts'

// A browser that draws without a GPU, beside whatever else runs.
vi.setConfig({ testTimeout: 120_000 })

const site = new ServedPage()

test.skipIf(!hasChromium).each([
  ['on a wide screen', wide],
  ['on a phone', phone]
])('%s, a camera comes back as depth, sixty times and in colours', async (_, viewport) => {
  await site.open(viewport)
  await site.page.getByRole('button', { name: 'Camera' }).click()
  await site.drawn(60)
  expect(await site.page.getByRole('status').first().textContent()).toBe('Live')
  expect(await shadesOfDepth()).toBeGreaterThan(10)
  if (viewport === wide) await site.takePicture('page.jpg')
})

/** How many colours the depth map that is shown has. */
function shadesOfDepth(): Promise<number> {
  return site.page.evaluate(() => {
    const canvas = document.getElementById('depth') as HTMLCanvasElement
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    return new Set(new Uint32Array(data.buffer)).size
  })
}

test.skipIf(!hasChromium)('a screen is shared, comes back as depth, and is let go', async () => {
  await site.open()
  await site.page.evaluate(() => {
    const { getDisplayMedia } = navigator.mediaDevices
    const shared = window as unknown as { screen: MediaStreamTrack }
    navigator.mediaDevices.getDisplayMedia = async (options) => {
      const stream = await getDisplayMedia.call(navigator.mediaDevices, options)
      shared.screen = stream.getVideoTracks()[0]!
      return stream
    }
  })
  const track = () =>
    site.page.evaluate(() => {
      const { readyState } = (window as unknown as { screen: MediaStreamTrack }).screen
      const { displaySurface } = (window as unknown as { screen: MediaStreamTrack }).screen.getSettings()
      return { readyState, displaySurface }
    })
  await site.page.getByRole('button', { name: 'Screen' }).click()
  await site.drawn(3)
  expect(await shadesOfDepth()).toBeGreaterThan(10)
  expect(await track()).toEqual({ readyState: 'live', displaySurface: 'monitor' })
  await site.page.getByRole('button', { name: 'Stop' }).click()
  expect((await track()).readyState).toBe('ended')
})

test.skipIf(!hasChromium)(
  'a browser that does not tell of frames is asked for the time of its video',
  async () => {
    await site.open()
    await site.page.evaluate(() =>
      Reflect.deleteProperty(HTMLVideoElement.prototype, 'requestVideoFrameCallback')
    )
    await site.page.getByRole('button', { name: 'Test clip' }).click()
    await site.drawn(3)
  }
)

test.skipIf(!hasChromium)(
  'another session is had while the video runs, and a range that is locked stays',
  async () => {
    await site.open()
    await site.page.getByRole('button', { name: 'Test clip' }).click()
    await site.drawn(2)
    await site.page.getByLabel('Lock the range').check()
    const near = await site.page.locator('#legend-near').textContent()
    await site.page.locator('#mode').selectOption('single')
    await site.page.locator('#delivery').selectOption('lossless')
    await site.page.getByRole('log').getByText('another session').first().waitFor()
    await site.drawn(5)
    expect(await site.page.locator('#legend-near').textContent()).toBe(near)
    await site.page.getByRole('button', { name: 'Stop' }).click()
    await site.page.getByText('See how far away things are').waitFor()
  }
)

test.skipIf(!hasChromium)(
  'a network that is cut is waited for, and the session goes on exactly',
  async () => {
    await site.open()
    await site.page.getByRole('button', { name: 'Camera' }).click()
    await site.drawn(3)
    const { connections } = site.proxy
    site.proxy.refuse()
    const log = site.page.getByRole('log')
    await log.getByText('Trying again').waitFor()
    expect(await site.page.getByRole('status').first().textContent()).toBe('Connection lost, trying again')
    await eventually(() => site.proxy.connections).toBeGreaterThanOrEqual(connections + 2)
    site.proxy.heal()
    await log.getByText('as if nothing had happened').waitFor()
    expect(await log.locator('[data-word]').first().getAttribute('data-word')).toBe('exact')
    await site.drawn(3)
  }
)

test.skipIf(!hasChromium)(
  'points lie where the picture has them, and turn as things in space do',
  async () => {
    const page = await site.blank()
    await showKnownScene(page)
    const front = await centresIn(page)
    expect(front.red).toEqual({ x: expect.closeTo(0.25, 1), y: expect.closeTo(0.25, 1) })
    expect(front.green).toEqual({ x: expect.closeTo(0.75, 1), y: expect.closeTo(0.75, 1) })

    const press = async (key: string) => {
      for (let i = 0; i < 3; i++) await site.page.locator('#cloud').press(key)
      return centresIn(page)
    }
    // Seen from farther right, what is near lies farther left, and what the view turns about stays.
    const fromRight = await press('ArrowRight')
    expect(fromRight.red!.x).toBeLessThan(front.red!.x - 0.05)
    expect(Math.abs(fromRight.green!.x - front.green!.x)).toBeLessThan(0.05)
    // From above, it lies lower.
    expect((await press('ArrowUp')).red!.y).toBeGreaterThan(fromRight.red!.y + 0.05)

    await site.page.locator('#cloud').press('Home')
    await site.page.mouse.move(160, 120)
    await site.page.mouse.down()
    await site.page.mouse.move(140, 120, { steps: 2 })
    await site.page.mouse.up()
    expect((await centresIn(page)).red!.x).toBeLessThan(front.red!.x - 0.05)
  }
)

test.skipIf(!hasChromium)('the points of a live picture are drawn in its colours', async () => {
  await site.open()
  await site.page.getByRole('button', { name: 'Camera' }).click()
  await site.drawn(1)
  await site.page.getByRole('radio', { name: '3D' }).check()
  await site.page.locator('#cloud').waitFor()
  await site.drawn(2)
  await site.page.waitForFunction(
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
  for (let i = 0; i < 4; i++) await site.page.locator('#cloud').press(i < 3 ? 'ArrowLeft' : 'ArrowUp')
  await site.takePicture('page-points.jpg')
})

test.skipIf(!hasChromium)(
  'a hidden tab sends nothing, and goes on where it was when it is shown again',
  async () => {
    const tab = await RawTab.open(site.browser, site.url)
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
