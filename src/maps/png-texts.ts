import { crc32 } from 'node:zlib'

/** Signature and header, which come first. */
const headBytes = 8 + 25

/** A PNG with a tEXt chunk (keyword, value) for each entry, in front of its pixels. Latin-1. */
export function withPngTexts(png: Uint8Array, texts: Readonly<Record<string, string | number>>): Uint8Array {
  const chunks = Object.entries(texts).map(([keyword, value]) => textChunk(`${keyword}\0${value}`))
  return Buffer.concat([png.subarray(0, headBytes), ...chunks, png.subarray(headBytes)])
}

function textChunk(text: string): Buffer {
  const body = Buffer.from(`tEXt${text}`, 'latin1')
  const chunk = Buffer.alloc(body.byteLength + 8)
  chunk.writeUInt32BE(body.byteLength - 4, 0)
  body.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(body), chunk.byteLength - 4)
  return chunk
}
