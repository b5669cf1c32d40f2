import { existsSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { chromium } from 'playwright-core'

/** Debian's. */
const executablePath = '/usr/bin/chromium'

export const hasChromium = existsSync(executablePath)

/** Chromium without a window, a GPU, or anything to ask: a camera is there, and allowed. WebGL is computed. */
export function openBrowser(flags: readonly string[] = []): Promise<Browser> {
  const quiet = ['quic', 'background-networking', 'component-update', 'sync'].map(
    (name) => `--disable-${name}`
  )
  const media = ['use-fake-device-for-media-stream', 'use-fake-ui-for-media-stream'].map(
    (name) => `--${name}`
  )
  const drawing = ['--disable-gpu', '--enable-unsafe-swiftshader']
  const args = ['--no-sandbox', '--no-first-run', ...quiet, ...media, ...drawing, ...flags]
  return chromium.launch({ executablePath, headless: true, args })
}
