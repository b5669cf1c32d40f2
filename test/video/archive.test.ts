import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createNpzWriter, createZipWriter } from '../../src/video/index.ts'
import { run, temporaryFolder } from './clip-file.ts'

/** Reads as NumPy does: zipfile, magic, header as a Python literal, values. Prints {name: [descr, shape, values]}. */
const readNpz = `
import ast, json, struct, sys, zipfile
formats = {'<f2': 'e', '<f4': 'f', '<f8': 'd', '<i4': 'i', '<u2': 'H', '|u1': 'B'}
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

test.each(['f32', 'f16'] as const)(
  'NumPy reads depth maps of %s and the arrays beside them',
  async (dtype) => {
    const file = path.join(await temporaryFolder(), 'out.npz')
    const writer = await createNpzWriter(file, { width: 3, height: 2, dtype })
    await writer.write(Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5))
    await writer.write(Float32Array.of(-1, 1024, 0.25, 3, 4, 65504))
    await writer.close({
      seq: { type: '<i4', shape: [2], values: Int32Array.of(0, 7) },
      fps: { type: '<f8', shape: [1], values: Float64Array.of(29.97) }
    })
    expect(await parse(file)).toEqual({
      'depth.npy': [
        dtype === 'f16' ? '<f2' : '<f4',
        [2, 2, 3],
        [0, 0.5, 1, 1.5, 2, 2.5, -1, 1024, 0.25, 3, 4, 65504]
      ],
      'seq.npy': ['<i4', [2], [0, 7]],
      'fps.npy': ['<f8', [1], [29.97]]
    })
  }
)

test('aborted archives leave nothing behind', async () => {
  const folder = await temporaryFolder()
  const npz = await createNpzWriter(path.join(folder, 'a.npz'), { width: 2, height: 1, dtype: 'f32' })
  await npz.write(Float32Array.of(1, 2))
  await npz.abort()
  await npz.close()
  const zip = await createZipWriter(path.join(folder, 'a.zip'))
  await zip.add('one', new Uint8Array(10))
  await zip.abort()
  await zip.close()
  expect(await readdir(folder)).toEqual([])
})

test('a depth map of another size is refused', async () => {
  const npz = await createNpzWriter(path.join(await temporaryFolder(), 'a.npz'), {
    width: 2,
    height: 2,
    dtype: 'f32'
  })
  await expect(npz.write(Float32Array.of(1, 2))).rejects.toThrow('2 values instead of 2x2')
  await npz.abort()
})

test('an archive larger than any buffer arrives whole', async () => {
  const file = path.join(await temporaryFolder(), 'a.zip')
  const zip = await createZipWriter(file)
  for (let i = 0; i < 24; i++) await zip.add(`${i}.bin`, new Uint8Array(2 ** 20).fill(i))
  await zip.close()
  const check =
    'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print([sorted(set(z.read(n))) for n in z.namelist()])'
  const { stdout } = await run('python3', ['-c', check, file])
  expect(JSON.parse(stdout)).toEqual(Array.from({ length: 24 }, (_, i) => [i]))
})

test('an archive holds more files than 16 bits can count', { timeout: 300_000 }, async () => {
  const file = path.join(await temporaryFolder(), 'a.zip')
  const zip = await createZipWriter(file)
  const count = 2 ** 16 + 2
  for (let i = 0; i < count; i++) await zip.add(`${i}`, Uint8Array.of(i % 256))
  await zip.close()
  const check =
    'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(len(z.namelist()), z.read("65537")[0])'
  const { stdout } = await run('python3', ['-c', check, file])
  expect(stdout.trim()).toBe(`${count} 1`)
})

test('what fails while it is read fails the archive, and nothing is left', async () => {
  const folder = await temporaryFolder()
  const zip = await createZipWriter(path.join(folder, 'a.zip'))
  async function* broken() {
    yield new Uint8Array(10)
    throw new Error('the source is gone')
  }
  await expect(zip.add('one', broken())).rejects.toThrow('the source is gone')
  await expect(zip.close()).rejects.toThrow()
  expect(await readdir(folder)).toEqual([])
})
