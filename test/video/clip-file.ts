import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

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
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
