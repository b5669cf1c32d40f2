import { appendFile, readFile } from 'node:fs/promises'
import path from 'node:path'
import { unzipSync } from 'fflate'
import sharp from 'sharp'
import { expect, test, vi } from 'vitest'
import { testApp } from '../helpers/build-app.ts'
import { addKey } from '../helpers/keys.ts'
import { unreadBox } from '../helpers/large-clip.ts'
import { makeClip, run, temporaryFolder } from '../video/clip-file.ts'
import { hasChromium } from './browser.ts'
import { phone, ServedPage, wide } from './served-page.ts'

// A browser that draws without a GPU, beside whatever else runs.
vi.setConfig({ testTimeout: 120_000 })

const site = new ServedPage()

test.skipIf(!hasChromium).each([
  ['wide and light', wide, 'light'],
  ['on a phone and dark', phone, 'dark']
] as const)('%s, it fits, and nothing keeps anybody out', async (_, viewport, colorScheme) => {
  await site.open(viewport)
  // Between two colours nothing can be read, for a tenth of a second.
  await site.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  expect(await site.faults()).toEqual([])
  await site.page.getByRole('button', { name: 'Test clip' }).focus()
  await site.page.keyboard.press('Enter')
  await site.drawn(3)
  expect(await site.faults()).toEqual([])
  expect(await site.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
    viewport.width
  )
})

/** What the page lets the browser save, under its name. */
async function saved(press: () => Promise<void>): Promise<{ name: string; file: string }> {
  const download = site.page.waitForEvent('download')
  await press()
  const taken = await download
  return { name: taken.suggestedFilename(), file: await taken.path() }
}

test.skipIf(!hasChromium)(
  'what is seen is saved as a picture and a video, and depth as numbers',
  async () => {
    await site.open()
    await site.page.getByRole('button', { name: 'Test clip' }).click()
    await site.drawn(1)
    const button = (name: string) => site.page.getByRole('button', { name })
    const picture = await saved(() => button('Snapshot').click())
    expect(picture.name).toMatch(/^leadline-\d{4}-\d\d-\d\d-\d{6}\.png$/)
    expect(await sharp(picture.file).metadata()).toMatchObject({ width: 1280, height: 360 })

    await button('Record video').click()
    await button('Record npz').click()
    await site.drawn(4)
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
  'on a phone, a clip is uploaded over a cut, followed until it is done, and played',
  async () => {
    const clip = await makeClip(path.join(await temporaryFolder(), 'walk.mp4'), 8)
    await appendFile(clip, unreadBox(6_000_000))
    await site.open(phone)
    const failed = site.page.waitForEvent('requestfailed')
    await site.page.locator('#clip-file').setInputFiles(clip)
    await site.page.waitForFunction(
      () => (document.getElementById('clip-progress') as HTMLProgressElement).value > 0
    )
    site.proxy.refuse()
    await failed
    site.proxy.heal()
    await site.page.getByText('Done: 8 frames').waitFor()
    expect(await site.page.locator('#clip-links a').allTextContents()).toEqual([
      'side-by-side.mp4',
      'depth.mp4',
      'npz'
    ])
    const played = site.page.locator('#clip-video')
    await played.evaluate((video: HTMLVideoElement) => video.play())
    await site.page.waitForFunction(() => (document.getElementById('clip-video') as HTMLVideoElement).ended)
    expect(await played.evaluate((video: HTMLVideoElement) => video.videoWidth)).toBe(192)

    await site.page
      .locator('#clip-file')
      .setInputFiles({ name: 'a.mp4', mimeType: 'video/mp4', buffer: Buffer.from('no') })
    await site.page.getByText('The file is not a video that can be decoded').waitFor()
    // What was cut off may still be written when its place is asked for; then the place is asked for again.
    const complaints = site.complaints.splice(0).filter((line) => !line.includes('409'))
    expect(complaints).toEqual([expect.stringContaining('415')])
  }
)

test.skipIf(!hasChromium)(
  'a server with keys asks for one, says of a wrong one that it is, and lets a right one in',
  async () => {
    const gateway = await testApp({ pageFolder: site.folder, config: { auth: 'keys' } })
    const { value } = await addKey(gateway.keys)
    await site.open(wide, await gateway.listen())
    const field = site.page.getByLabel('Key, as')
    await field.fill('lk_wrong')
    await site.page.getByRole('button', { name: 'Use this key' }).click()
    await site.page.locator('#key-note').getByText(/key/i).waitFor()
    expect(site.complaints.splice(0).every((line) => line.includes('401'))).toBe(true)
    await field.fill(value)
    await site.page.getByRole('button', { name: 'Use this key' }).click()
    await site.page.getByRole('button', { name: 'Test clip' }).click()
    await site.drawn(2)
  }
)

test.skipIf(!hasChromium)(
  'a camera that is refused is explained, and another video can be chosen',
  async () => {
    await site.open()
    await site.page.evaluate(() => {
      const refuse = () => Promise.reject(new DOMException('Permission denied', 'NotAllowedError'))
      navigator.mediaDevices.getUserMedia = refuse
    })
    await site.page.getByRole('button', { name: 'Camera' }).click()
    await site.page.getByRole('alert').getByText('The camera was not allowed').waitFor()
    expect(await site.faults()).toEqual([])
    await site.page.getByRole('button', { name: 'Choose another video' }).click()
    await site.page.getByRole('button', { name: 'Test clip' }).click()
    await site.drawn(1)
  }
)
