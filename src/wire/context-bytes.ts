import { webcrypto } from 'node:crypto'
import type { Static } from 'typebox'
import Type from 'typebox'
import Value from 'typebox/value'
import { LeadlineError } from '../errors.ts'
import { decodeFrame } from './frame.ts'
import type { SessionContext } from '../session.ts'
import { modes } from '../session.ts'

/**
 * A context as bytes: to be kept, sent, and gone on from. Little-endian: "LLCX", version (u16), 0 (u16), length of the head
 * (u32), the head as JSON, what it announces in its order (frame messages, the last depth map, the latents), and the SHA-256
 * of all that.
 */
const magic = 'LLCX'
const version = 1
const fixedBytes = 12
const digestBytes = 32
/** What the engine notes is far less; it is read in one piece. */
const maxHeadBytes = 4 * 2 ** 20
/** Three windows of the longest, and the first frame. */
const maxFrames = 128

const length = Type.Integer({ minimum: 0, maximum: 2 ** 32 })
const lengthOrNull = Type.Union([length, Type.Null()])
const digest = Type.String({ pattern: '^[0-9a-f]{64}$' })

const originSchema = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 128 }),
  /** SHA-256 of its weights. */
  modelDigest: digest,
  mode: Type.Enum(modes),
  cacheSize: Type.Integer({ minimum: 1 })
})

/** The session that a context is of. Another model or window goes on from it too, but nothing is exact then. */
export type ContextOrigin = Static<typeof originSchema>

const headSchema = Type.Object({
  origin: originSchema,
  seq: Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER }),
  epoch: Type.Integer({ minimum: 0, maximum: 2 ** 32 - 2 }),
  framesSeen: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  digest: Type.Union([digest, Type.Null()]),
  notes: Type.Unknown(),
  /** In bytes, as they follow. */
  frames: Type.Array(length, { maxItems: maxFrames }),
  seam: lengthOrNull,
  latents: lengthOrNull
})

export interface SavedContext {
  origin: ContextOrigin
  /** Of the last outcome before it, behind which the frames of whoever goes on from it are numbered; -1: there was none. */
  seq: number
  context: SessionContext
}

export async function packContext({ origin, seq, context }: SavedContext): Promise<Uint8Array<ArrayBuffer>> {
  const { epoch, framesSeen, notes, seam, latents } = context
  const frames = context.frames.map(({ message }) => message)
  const head = Buffer.from(
    JSON.stringify({
      ...{ origin, seq, epoch, framesSeen, digest: context.digest, notes },
      frames: frames.map(({ byteLength }) => byteLength),
      ...{ seam: seam?.byteLength ?? null, latents: latents?.byteLength ?? null }
    } satisfies Static<typeof headSchema>)
  )
  const parts = [head, ...frames, ...[seam, latents].filter((part) => part !== null)]
  const bytes = new Uint8Array(fixedBytes + digestBytes + sum(parts.map(({ byteLength }) => byteLength)))
  Buffer.from(bytes.buffer).write(magic, 'latin1')
  const view = new DataView(bytes.buffer)
  view.setUint16(4, version, true)
  view.setUint32(8, head.byteLength, true)
  let at = fixedBytes
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  bytes.set(await sha256(bytes.subarray(0, at)), at)
  return bytes
}

/** The frames, the seam and the latents lie in `bytes`. Throws CONTEXT_INVALID, whatever else it is given. */
export async function unpackContext(bytes: Uint8Array): Promise<SavedContext> {
  const body = await checkedBody(bytes)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const headEnd = fixedBytes + view.getUint32(8, true)
  const head = headOf(body.subarray(fixedBytes, headEnd), headEnd <= body.byteLength)
  let at = headEnd
  const next = (byteLength: number): Uint8Array => body.subarray(at, (at += byteLength))
  const announced = sum([...head.frames, head.seam ?? 0, head.latents ?? 0])
  if (headEnd + announced !== body.byteLength)
    invalid(`its head announces ${announced} bytes and ${body.byteLength - headEnd} follow`)
  const { origin, seq, epoch, framesSeen, digest, notes } = head
  const frames = head.frames.map((byteLength) => frameOf(next(byteLength)))
  checkOrder(frames, seq)
  const seam = head.seam === null ? null : next(head.seam)
  const latents = head.latents === null ? null : next(head.latents)
  return { origin, seq, context: { epoch, framesSeen, digest, frames, seam, latents, notes } }
}

/** All but the digest, which it has. */
async function checkedBody(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.byteLength < fixedBytes + digestBytes) invalid(`${bytes.byteLength} bytes are too few`)
  const found = Buffer.from(bytes.subarray(0, 4)).toString('latin1')
  if (found !== magic) invalid(`it starts with ${JSON.stringify(found)} instead of "${magic}"`)
  const is = new DataView(bytes.buffer, bytes.byteOffset).getUint16(4, true)
  if (is !== version) invalid(`its version ${is} is not ${version}`)
  const end = bytes.byteLength - digestBytes
  if (Buffer.compare(await sha256(bytes.subarray(0, end)), bytes.subarray(end)) !== 0)
    invalid('its digest is that of other bytes; it was cut off or changed')
  return bytes.subarray(0, end)
}

function headOf(bytes: Uint8Array, isThere: boolean): Static<typeof headSchema> {
  if (bytes.byteLength > maxHeadBytes) invalid(`its head has more than ${maxHeadBytes} bytes`)
  let head: unknown = null
  try {
    head = isThere ? JSON.parse(Buffer.from(bytes).toString()) : null
  } catch {
    invalid('its head is no JSON')
  }
  if (Value.Check(headSchema, head)) return head
  const [error] = Value.Errors(headSchema, head)
  return invalid(`its head ${error?.instancePath ?? ''} ${error?.message ?? 'is of an unknown form'}`)
}

function frameOf(message: Uint8Array): SessionContext['frames'][number] {
  try {
    return decodeFrame(message)
  } catch (error) {
    return invalid(error instanceof Error ? error.message : String(error))
  }
}

function checkOrder(frames: SessionContext['frames'], last: number): void {
  let before = -1
  for (const { header } of frames) {
    if (header.seq <= before || header.seq > last)
      invalid(`frame ${header.seq} comes after ${before}, and the last outcome was of ${last}`)
    before = header.seq
  }
}

/** In a thread of Node's pool: a context may have many megabytes. */
async function sha256(bytes: Uint8Array): Promise<Buffer> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function invalid(reason: string): never {
  throw new LeadlineError('CONTEXT_INVALID', `Not a context that was saved: ${reason}`)
}
