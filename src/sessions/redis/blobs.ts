/** A value as JSON, and the bytes in it beside, since JSON would make text of them. */
export interface Packed {
  text: string
  blobs: Buffer
}

interface BlobReference {
  blobAt: number
  blobBytes: number
}

export function pack(value: unknown): Packed {
  const blobs: Uint8Array[] = []
  let bytes = 0
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, seen: unknown) {
    // What a Buffer makes of itself comes as `seen`.
    const original = this[key]
    if (!(original instanceof Uint8Array)) return seen
    const reference: BlobReference = { blobAt: bytes, blobBytes: original.byteLength }
    blobs.push(original)
    bytes += original.byteLength
    return reference
  })
  return { text, blobs: Buffer.concat(blobs, bytes) }
}

/** What `pack` was given; its bytes are views into `blobs`. */
export function unpack<T>({ text, blobs }: Packed): T {
  return JSON.parse(text, (_, value: unknown) => {
    if (!isReference(value)) return value
    return blobs.subarray(value.blobAt, value.blobAt + value.blobBytes)
  }) as T
}

function isReference(value: unknown): value is BlobReference {
  return typeof value === 'object' && value !== null && 'blobAt' in value && 'blobBytes' in value
}
