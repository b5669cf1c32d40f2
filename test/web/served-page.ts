import { mkdtemp, rm } from 'node:fs/promises'
import axe from 'axe-core'
import os from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { buildPage } from '../../scripts/browser-build/page.ts'
import { loadConfig } from '../../src/config.ts'
import { createEngine } from '../../src/inference/index.ts'
import { startTestApp } from '../helpers/build-app.ts'
import type { LinkProxy } from '../helpers/link-proxy.ts'
import { startLinkProxy } from '../helpers/link-proxy.ts'
import { hasChromium, openBrowser } from './browser.ts'

/** Set, the pictures of the docs are taken: of a clip whose path it is, as the camera. */
const clipForPictures = process.env['LEADLINE_TEST_PICTURES']
const docs = path.resolve(import.meta.dirname, '../../docs')

export const wide = { width: 1280, height: 800 }
export const phone = { width: 390, height: 844 }

/** The page of a real server, behind a network that can be cut, in Chromium: one for the tests of a file. */
export class ServedPage {
  /** What the page complains of: a script that fails, a thing that the policy forbids. A test that leaves any fails. */
  readonly complaints: string[] = []
  readonly #opened: (() => Promise<unknown>)[] = []
  #browser: Browser | null = null
  #proxy: LinkProxy | null = null
  #page: Page | null = null
  #folder: string | null = null

  /** Registers what starts and ends it. */
  constructor() {
    beforeAll(() => this.#start(), 120_000)
    afterAll(async () => {
      for (const close of this.#opened.reverse()) await close()
    })
    afterEach(async () => {
      await this.#page?.close()
      this.#page = null
      expect(this.complaints.splice(0)).toEqual([])
    })
  }

  get browser(): Browser {
    return this.#browser!
  }
  get proxy(): LinkProxy {
    return this.#proxy!
  }
  get page(): Page {
    return this.#page!
  }
  get url(): string {
    return `http://127.0.0.1:${this.proxy.port}/`
  }
  /** For another gateway to serve. */
  get folder(): string {
    return this.#folder!
  }

  async #start(): Promise<void> {
    if (!hasChromium) return
    const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-test-'))
    this.#opened.push(() => rm(folder, { recursive: true, force: true }))
    const pageFolder = path.join(folder, 'web')
    this.#folder = pageFolder
    await buildPage(pageFolder)
    const config = loadConfig({})
    const { engine, close } = await createEngine({ config, log: pino({ level: 'silent' }) })
    this.#opened.push(close)
    const gateway = await startTestApp({
      ...{ engine, pageFolder },
      config: { defaultModel: config.defaultModel }
    })
    this.#opened.push(gateway.close)
    this.#proxy = await startLinkProxy(Number(new URL(await gateway.listen()).port))
    this.#opened.push(this.#proxy.stop)
    const browser = await openBrowser(
      clipForPictures === undefined ? [] : [`--use-file-for-fake-video-capture=${clipForPictures}`]
    )
    this.#browser = browser
    this.#opened.push(() => browser.close())
  }

  /** As a stranger gets it, with each drawing of depth counted. */
  async open(viewport = wide, url = this.url): Promise<Page> {
    const page = await this.blank(viewport)
    page.on('pageerror', (error) => this.complaints.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/net::ERR_/.test(message.text()))
        this.complaints.push(message.text())
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

  /** A page with nothing on it, closed when the test ends. */
  async blank(viewport = wide): Promise<Page> {
    this.#page = await this.browser.newPage({ viewport })
    this.#page.setDefaultTimeout(60_000)
    return this.#page
  }

  /** Resolves when so many more depth maps are drawn. */
  async drawn(count: number): Promise<void> {
    await this.page.evaluate(() => ((window as unknown as { depthMaps: number }).depthMaps = 0))
    await this.page.waitForFunction(
      (wanted) => (window as unknown as { depthMaps: number }).depthMaps >= wanted,
      count
    )
  }

  /** What axe finds that keeps people from using the page, with where it is. */
  async faults(): Promise<string[]> {
    await this.page.evaluate(axe.source)
    const { violations } = await this.page.evaluate(() =>
      (window as unknown as { axe: typeof axe }).axe.run()
    )
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  }

  /** For the docs, where it is asked for. */
  async takePicture(name: string): Promise<void> {
    if (clipForPictures === undefined) return
    await this.page.emulateMedia({ colorScheme: 'dark' })
    await this.drawn(20)
    await this.page.screenshot({ path: path.join(docs, name), type: 'jpeg', quality: 88 })
  }
}
