import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import type { VideoFrame } from '../../src/video/index.ts'

export const run = promisify(execFile)

/** A folder that is gone when the test is. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A small moving clip made by ffmpeg: `frames` frames of 96x64 at 12 fps. `args` go in front of the output's name. */
export async function makeClip(file: string, frames: number, args: readonly string[] = []): Promise<string> {
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=96x64:rate=12', '-frames:v', String(frames)]
  await run('ffmpeg', ['-v', 'error', '-y', ...source, '-pix_fmt', 'yuv420p', ...args, file])
  return file
}

/** Every frame of a clip. */
export async function collect(frames: AsyncIterable<VideoFrame>): Promise<VideoFrame[]> {
  const all: VideoFrame[] = []
  for await (const frame of frames) all.push(frame)
  return all
}
