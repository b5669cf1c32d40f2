import { rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { LeadlineError } from '../errors.ts'
import { diskFailureTold } from './disk-failure-told.ts'
import { frameDurationUs } from './frame-duration.ts'
import { startMediaTool } from './media-tool.ts'
import { createPipedWriter } from './piped-writer.ts'
import type { VideoWriterOptions } from './writer.ts'

export interface GrayVideoWriter {
  /** One frame: height x width. */
  write(gray: Uint16Array, timestampUs: number): Promise<void>
  /** Finish the file with `tags`; only now does it appear under its name. */
  close(tags: Readonly<Record<string, string>>): Promise<void>
  /** Stop and leave no file; after `close` it does nothing. */
  abort(): Promise<void>
}

/**
 * Write 16-bit grey as a lossless video: FFV1 in Matroska, each frame by itself and at its own time, to the millisecond. Throws
 * what `createPipedWriter` throws.
 */
export async function createGrayVideoWriter(
  videoPath: string,
  { width, height, fps }: VideoWriterOptions
): Promise<GrayVideoWriter> {
  const framesPath = `${videoPath}.frames`
  // ffmpeg 5.1 cuts a picture of a few pixels into slices that it cannot read again; version 1 of FFV1 has none.
  const version = Math.min(width, height) < 16 ? ['-level', '1'] : ['-level', '3', '-slicecrc', '1']
  const frames = await createPipedWriter(framesPath, {
    ...{ width, height, pixels: 'gray16le', frameDurationUs: frameDurationUs(fps) },
    encode: ['-c:v', 'ffv1', ...version, '-g', '1', '-pix_fmt', 'gray16le', '-f', 'matroska']
  })
  return {
    write: ({ buffer, byteOffset, byteLength }, timestampUs) =>
      frames.write(new Uint8Array(buffer, byteOffset, byteLength), timestampUs),
    async close(tags) {
      await frames.close()
      try {
        await tag(framesPath, videoPath, tags)
      } finally {
        await rm(framesPath, { force: true })
      }
    },
    abort: () => frames.abort()
  }
}

/** The same frames with tags, which ffmpeg writes in front of them. */
async function tag(
  framesPath: string,
  videoPath: string,
  tags: Readonly<Record<string, string>>
): Promise<void> {
  const partPath = `${videoPath}.part`
  const tagsPath = `${videoPath}.tags.part`
  const lines = Object.entries(tags).map(([name, text]) => `${name}=${escaped(text)}\n`)
  try {
    await writeFile(tagsPath, `;FFMETADATA1\n${lines.join('')}`)
    const input = [
      '-i',
      `file:${framesPath}`,
      '-f',
      'ffmetadata',
      '-i',
      `file:${tagsPath}`,
      '-map_metadata',
      '1'
    ]
    const args = [
      '-v',
      'error',
      '-nostdin',
      ...input,
      '-map',
      '0:v',
      '-c',
      'copy',
      '-f',
      'matroska',
      '-y',
      `file:${partPath}`
    ]
    const tool = startMediaTool('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'], videoPath: partPath })
    const code = await tool.exited
    const text = `ffmpeg could not write ${path.basename(videoPath)} (exit code ${code}): ${tool.complaint()}`
    const refused = diskFailureTold(tool, text)
    if (refused !== null) throw refused
    if (code !== 0) throw new LeadlineError('INTERNAL', text)
    await rename(partPath, videoPath)
  } finally {
    await rm(tagsPath, { force: true })
    await rm(partPath, { force: true })
  }
}

/** What has a meaning in a file of metadata, and line ends. */
function escaped(text: string): string {
  return text.replaceAll(/[=;#\\\n]/g, (character) => `\\${character}`)
}
