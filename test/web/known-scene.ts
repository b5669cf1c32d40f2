import path from 'node:path'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import type { PointCloud } from '../../src/web/views/point-cloud.ts'

/** Where the pixels of a colour are on average, as shares of the canvas from its top left; null: there are none. */
export interface Centre {
  x: number
  y: number
}
export type Centres = Record<'red' | 'green', Centre | null>

const views = path.resolve(import.meta.dirname, '../../src/web/views')

/**
 * Show a scene on an empty page as points in space: a red square at the top left, which is nearest, a green one at the bottom
 * right, as far as the view turns about, and blue far behind both.
 */
export async function showKnownScene(page: Page): Promise<void> {
  const { outputFiles } = await build({
    stdin: { contents: "export { PointCloud } from './point-cloud.ts'", resolveDir: views },
    ...{ bundle: true, format: 'iife', globalName: 'made', write: false }
  })
  await page.setContent('<canvas id="cloud" tabindex="0" style="width: 320px; height: 240px"></canvas>')
  await page.evaluate(outputFiles[0]!.text)
  await page.evaluate(() => {
    const [width, height] = [64, 48]
    const picture = Object.assign(document.createElement('canvas'), { width, height })
    const paint = picture.getContext('2d')!
    const values = new Float32Array(width * height)
    const square = (colour: string, left: number, top: number, value: number) => {
      paint.fillStyle = colour
      paint.fillRect(left, top, 16, 12)
      for (let y = top; y < top + 12; y++) values.fill(value, y * width + left, y * width + left + 16)
    }
    paint.fillStyle = '#00f'
    paint.fillRect(0, 0, width, height)
    square('#f00', 8, 6, 1)
    square('#0f0', 40, 30, 1 / 3)
    const made = (window as unknown as { made: { PointCloud: typeof PointCloud } }).made
    const cloud = new made.PointCloud(document.getElementById('cloud') as HTMLCanvasElement, picture)
    const header = {
      ...{ width, height, rangeMin: 0, rangeMax: 1 },
      quantity: 'relative-inverse-depth' as const
    }
    cloud.show({ header, values: () => values }, {})
  })
}

/** What is drawn by the frame after next. */
export function centresIn(page: Page): Promise<Centres> {
  return page.evaluate(async () => {
    for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame)
    const shown = document.getElementById('cloud') as HTMLCanvasElement
    const { width, height } = shown
    const copy = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d')!
    copy.drawImage(shown, 0, 0)
    const { data } = copy.getImageData(0, 0, width, height)
    const centre = (channel: number) => {
      let [count, sumX, sumY] = [0, 0, 0]
      for (let i = 0; i < width * height; i++) {
        if (data[4 * i + channel]! < 200 || data[4 * i + 1 - channel]! > 50 || data[4 * i + 2]! > 50) continue
        count++
        sumX += i % width
        sumY += Math.floor(i / width)
      }
      return count === 0 ? null : { x: sumX / count / width, y: sumY / count / height }
    }
    return { red: centre(0), green: centre(1) }
  })
}
