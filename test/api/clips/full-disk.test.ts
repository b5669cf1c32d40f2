import { readdir, symlink } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startWithin } from '../../cli/leadline-process.ts'
import { testApp } from '../../helpers/build-app.ts'
import { mp4, temporaryFolder } from '../../helpers/clip-files.ts'
import { accepted, ended, state } from '../../helpers/clip-requests.ts'
import { eventually } from '../../helpers/eventually.ts'
import { fakeEngine, stepGate } from '../../helpers/fake-engine.ts'

const shape = { frames: 4, width: 84, height: 56 }

test.each([
  ['depth.f32', 'npz'],
  ['depth.npz.depth.part', 'npz'],
  ['depth.npz.part', 'npz'],
  ['depth.png16.zip.part', 'png16.zip'],
  ['depth.mp4.part', 'depth.mp4'],
  ['side-by-side.mp4.part', 'side-by-side.mp4']
])(
  'a disk that is full by the time of %s fails the clip by name, and the next one runs',
  async (file, result) => {
    const gate = stepGate()
    const { app, config } = await testApp({ engine: fakeEngine({ beforeStep: gate.beforeStep }) })
    const video = await mp4(shape)
    gate.shut()
    const first = await accepted(app, video, '?results=npz')
    await eventually(async () => (await state(app, first.id)).state).toBe('running')
    const second = await accepted(app, video, `?results=${result}`)
    // A device that is always full, in the place of a file that is yet to be.
    await symlink('/dev/full', path.join(config.dataDir, 'clips', second.id, file))
    const third = await accepted(app, video, `?results=${result}`)
    gate.open()
    const { failure } = await ended(app, second.id)
    expect(failure).toMatchObject({ code: 'STORAGE_FULL' })
    expect(failure?.detail).toMatch(/the disk is full \(ENOSPC\); .*set LEADLINE_DATA_DIR to another folder/)
    expect(failure?.detail).not.toContain(config.dataDir)
    const left = await readdir(path.join(config.dataDir, 'clips', second.id))
    expect(left.toSorted()).toEqual(['.leadline-clip', 'clip.json'])
    expect((await ended(app, third.id)).state).toBe('done')
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
