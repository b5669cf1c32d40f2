import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { StoredArray } from '../../src/depth-files/index.ts'
import { createNpzWriter } from '../../src/depth-files/npz-writer.ts'
import { encodeFloat16 } from '../../src/maps/float16.ts'
import { run, temporaryFolder } from '../video/clip-file.ts'

/** Reads as NumPy does: zipfile, magic, header as a Python literal, values. Prints {name: [descr, shape, values]}. */
const readNpz = `
import ast, json, struct, sys, zipfile
formats = {'<f2': 'e', '<f4': 'f', '<f8': 'd', '<i4': 'i', '<u2': 'H'}
found = {}
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    for name in archive.namelist():
        data = archive.read(name)
        assert data[:8] == b'\\x93NUMPY\\x01\\x00', data[:8]
        length = struct.unpack('<H', data[8:10])[0]
        assert (10 + length) % 64 == 0 and data[9 + length] == 10
        header = ast.literal_eval(data[10:10 + length].decode())
        assert header['fortran_order'] is False
        if header['descr'].startswith('<U'):
            found[name] = [header['descr'], list(header['shape']), data[10 + length:].decode('utf-32-le')]
            continue
        count = 1
        for size in header['shape']: count *= size
        values = struct.unpack('<%d%s' % (count, formats[header['descr']]), data[10 + length:])
        found[name] = [header['descr'], list(header['shape']), list(values)]
print(json.dumps(found))
`

async function parse(file: string): Promise<unknown> {
  const { stdout } = await run('python3', ['-c', readNpz, file])
  return JSON.parse(stdout)
}

const maps = [
  [0, 0.5, 1, 1.5, 2, 2.5],
  [-1, 1024, 0.25, 3, 4, 65504]
]

test.each(['<f4', '<f2'] as const)(
  'NumPy reads depth maps of %s and the arrays beside them',
  async (type) => {
    const file = path.join(await temporaryFolder(), 'out.npz')
    const writer = await createNpzWriter(file, { width: 3, height: 2, type })
    for (const values of maps) await writer.write(stored(type, Float32Array.from(values)))
    await writer.close({
      quantity: { type: '<U', text: 'metric-depth' },
      seq: { type: '<i4', shape: [2], values: Int32Array.of(0, 7) },
      fps: { type: '<f8', shape: [1], values: Float64Array.of(29.97) }
    })
    expect(await parse(file)).toEqual({
      'depth.npy': [type, [2, 2, 3], maps.flat()],
      'quantity.npy': ['<U12', [], 'metric-depth'],
      'seq.npy': ['<i4', [2], [0, 7]],
      'fps.npy': ['<f8', [1], [29.97]]
    })
  }
)

function stored(type: '<f4' | '<f2', values: Float32Array): StoredArray {
  return type === '<f2' ? { type, values: encodeFloat16(values) } : { type, values }
}

test('an aborted npz leaves nothing behind', async () => {
  const folder = await temporaryFolder()
  const npz = await createNpzWriter(path.join(folder, 'a.npz'), { width: 2, height: 1, type: '<f4' })
  await npz.write(stored('<f4', Float32Array.of(1, 2)))
  await npz.abort()
  await npz.close()
  expect(await readdir(folder)).toEqual([])
})

test('a depth map of another size is refused', async () => {
  const npz = await createNpzWriter(path.join(await temporaryFolder(), 'a.npz'), {
    width: 2,
    height: 2,
    type: '<f4'
  })
  await expect(npz.write(stored('<f4', Float32Array.of(1, 2)))).rejects.toThrow(
    '2 values of <f4 instead of 2x2 of <f4'
  )
  await npz.abort()
})
