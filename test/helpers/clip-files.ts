import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { createVideoWriter } from '../../src/video/index.ts'

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-clip-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface ClipShape {
  frames: number
  width: number
  height: number
}

/** An MP4 of a brightening picture, index in front. */
export async function mp4({ frames, width, height }: ClipShape): Promise<Buffer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-clip-'))
  const file = path.join(folder, 'clip.mp4')
  const writer = await createVideoWriter(file, { width, height, fps: 25 })
  for (let i = 0; i < frames; i++) await writer.write(picture(i, width, height))
  await writer.close()
  const video = await readFile(file)
  await rm(folder, { recursive: true })
  return video
}

function picture(index: number, width: number, height: number): Uint8Array {
  const rgb = new Uint8Array(width * height * 3)
  for (let i = 0; i < rgb.length; i++) rgb[i] = (index * 9 + (i % (width * 3)) + ((i * i) % 31)) % 256
  return rgb
}
