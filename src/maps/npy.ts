/** NumPy's file format, version 1.0: magic, header length, a Python literal padded to a multiple of 64 bytes, values. */

/** `<f2`: float16 given by its bits. */
export type NpyNumbers = { shape: readonly number[] } & (
  | { type: '<f2' | '<u2'; values: Uint16Array }
  | { type: '<f4'; values: Float32Array }
  | { type: '<f8'; values: Float64Array }
  | { type: '<i4'; values: Int32Array }
)

/** `<U`: one text, an array without axes. */
export type NpyArray = NpyNumbers | { type: '<U'; text: string }

/** Everything in front of the values. Arrays are in C order. */
export function npyHeader(type: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const literal = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`
  const length = Math.ceil((10 + literal.length + 1) / 64) * 64
  const header = new TextEncoder().encode('\u0000NUMPY\u0001\u0000  ' + literal.padEnd(length - 11) + '\n')
  header[0] = 0x93
  new DataView(header.buffer).setUint16(8, length - 10, true)
  return header
}

/** A small array as the bytes of a whole .npy file. */
export function npyFile(array: NpyArray): Uint8Array {
  const isText = array.type === '<U'
  // NumPy's text has four bytes a character.
  const values = isText
    ? Uint32Array.from(array.text, (character) => character.codePointAt(0)!)
    : array.values
  const header = isText ? npyHeader(`<U${values.length}`, []) : npyHeader(array.type, array.shape)
  const { buffer, byteOffset, byteLength } = values
  const file = new Uint8Array(header.byteLength + byteLength)
  file.set(header)
  file.set(new Uint8Array(buffer, byteOffset, byteLength), header.byteLength)
  return file
}
