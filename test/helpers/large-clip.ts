import { mp4 } from './clip-files.ts'

/** An MP4 with a box in it that nobody reads, so that it takes at least `bytes` to send. */
export async function largeClip(bytes: number, frames = 2): Promise<Buffer> {
  const video = await mp4({ frames, width: 84, height: 56 })
  const box = Buffer.alloc(bytes, 0x5a)
  box.writeUInt32BE(bytes)
  box.write('free', 4)
  return Buffer.concat([video, box])
}
