import { readdir, symlink } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startWithin } from '../../cli/leadline-process.ts'
import { testApp } from '../../helpers/build-app.ts'
import { mp4, temporaryFolder } from '../../helpers/clip-files.ts'
import { accepted, ended } from '../../helpers/clip-requests.ts'
import { eventually } from '../../helpers/eventually.ts'
import { fakeEngine, stepGate } from '../../helpers/fake-engine.ts'

const shape = { frames: 4, width: 84, height: 56 }

test.each([
  ['depth-000000.f32', 'npz'],
  ['results/depth.npz.depth.part', 'npz'],
  ['results/depth.npz.part', 'npz'],
  ['results/depth.png16.zip.part', 'png16.zip'],
  ['results/depth.mp4.part', 'depth.mp4'],
  ['results/side-by-side.mp4.part', 'side-by-side.mp4']
])(
  'a disk that is full by the time of %s fails the clip by name, and the next one runs',
  async (file, result) => {
    const gate = stepGate()
    const { app, config } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
    const video = await mp4(shape)
    gate.shut()
    const { id } = await accepted(app, video, `?results=${result}`)
    const folder = path.join(config.dataDir, 'clips', id)
    const outFolder = async () => (await readdir(folder)).find((name) => name.startsWith('results-'))
    await eventually(outFolder).toBeDefined()
    // A device that is always full, in the place of a file that is yet to be.
    await symlink('/dev/full', path.join(folder, file.replace('results', (await outFolder()) ?? '')))
    const next = await accepted(app, video, `?results=${result}`)
    gate.open()
    const { failure } = await ended(app, id)
    expect(failure).toMatchObject({ code: 'STORAGE_FULL' })
    expect(failure?.detail).toMatch(/the disk is full \(ENOSPC\); .*set LEADLINE_DATA_DIR to another folder/)
    expect(failure?.detail).not.toContain(config.dataDir)
    await eventually(async () => (await readdir(folder)).toSorted()).toEqual(['.leadline-clip', 'clip.json'])
    expect((await ended(app, next.id)).state).toBe('done')
  }
)

test(
  'a disk that takes no larger files refuses an upload by name, and serves on',
  { timeout: 120_000 },
  async () => {
    const dataDir = await temporaryFolder()
    const server = startWithin('-f 512', ['serve'], { LEADLINE_DATA_DIR: dataDir, LEADLINE_PORT: '0' })
    const [, url = ''] = await server.printed(/listening: (http:\S+)/)
    const post = (body: Buffer) =>
      fetch(`${url}/v1/clips?results=npz`, {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { 'content-type': 'video/mp4' }
      })
    const refused = await post(Buffer.alloc(2 ** 20, 'x'))
    expect(refused.status).toBe(507)
    expect(await refused.json()).toMatchObject({
      code: 'STORAGE_FULL',
      detail: expect.stringMatching(/may not grow any larger there \(EFBIG\).*LEADLINE_DATA_DIR/)
    })
    expect(await readdir(path.join(dataDir, 'clips'))).toEqual([])
    expect((await post(await mp4(shape))).status).toBe(202)
  }
)
