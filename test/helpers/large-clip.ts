import { mp4 } from './clip-files.ts'

/** What may stand behind any MP4, and nobody reads. */
export function unreadBox(bytes: number): Buffer {
  const box = Buffer.alloc(bytes, 0x5a)
  box.writeUInt32BE(bytes)
  box.write('free', 4)
  return box
}

/** An MP4 that takes at least `bytes` to send. */
export async function largeClip(bytes: number, frames = 2): Promise<Buffer> {
  return Buffer.concat([await mp4({ frames, width: 84, height: 56 }), unreadBox(bytes)])
}
