import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { testApp } from '../../helpers/build-app.ts'
import { temporaryFolder } from '../../helpers/clip-files.ts'

const uuid = '6f1f6d3e-0d3c-4b7c-9f8e-2a5f0f3b8c11'

/** A data folder with what `files` holds, by path; its gateway, and what that logged as left alone. */
async function started(files: Record<string, string>) {
  const dataDir = await temporaryFolder()
  const clips = path.join(dataDir, 'clips')
  await mkdir(clips)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(clips, name)), { recursive: true })
    await writeFile(path.join(clips, name), text)
  }
  const start = () => testApp({ config: { dataDir } })
  const leftAlone = (logged: Record<string, unknown>[]) =>
    logged
      .filter(({ msg }) => String(msg).includes('left alone'))
      .map((line) => path.basename(String(line.path)))
  return { clips, start, leftAlone }
}

test('files and folders that are not its own are left as they are, and named in the log', async () => {
  const { clips, start, leftAlone } = await started({
    'holiday/a.mp4': 'precious',
    'notes.txt': 'precious',
    [`${uuid}/b.mp4`]: 'precious'
  })
  await symlink(path.join(clips, 'holiday'), path.join(clips, 'link'))
  const { app, logged } = await start()
  expect((await app.inject('/livez')).statusCode).toBe(200)
  expect((await readdir(clips)).toSorted()).toEqual([uuid, 'holiday', 'link', 'notes.txt'])
  expect(await readFile(path.join(clips, 'holiday', 'a.mp4'), 'utf8')).toBe('precious')
  expect(leftAlone(logged).toSorted()).toEqual([uuid, 'holiday', 'link', 'notes.txt'])
})

test.each([
  ['empty', '', /JSON/],
  ['cut short', '{"id": "6f1f', /JSON/],
  ['of another program', '{"format": "mp4"}', /not a clip's/]
])('a clip.json that is %s is left alone, and the server starts', async (_kind, text, reason) => {
  const { clips, start, leftAlone } = await started({
    [`${uuid}/clip.json`]: text,
    [`${uuid}/.leadline-clip`]: '',
    [`${uuid}/depth.mp4`]: 'precious'
  })
  const { app, logged } = await start()
  expect((await app.inject(`/v1/clips/${uuid}`)).json()).toMatchObject({ code: 'CLIP_UNKNOWN' })
  expect(await readFile(path.join(clips, uuid, 'depth.mp4'), 'utf8')).toBe('precious')
  expect(leftAlone(logged)).toEqual([uuid])
  expect(logged.find((line) => line.reason !== undefined)?.reason).toMatch(reason)
})

test('a folder in place of clip.json is left alone, and the server starts', async () => {
  const { clips, start, leftAlone } = await started({ [`${uuid}/clip.json/a`]: 'precious' })
  const { logged } = await start()
  expect(leftAlone(logged)).toEqual([uuid])
  expect(await readFile(path.join(clips, uuid, 'clip.json', 'a'), 'utf8')).toBe('precious')
})

test('a folder of its own whose upload never ended is removed', async () => {
  const { clips, start, leftAlone } = await started({
    [`${uuid}/.leadline-clip`]: '',
    [`${uuid}/clip`]: 'the beginning of a video'
  })
  const { logged } = await start()
  expect(await readdir(clips)).toEqual([])
  expect(leftAlone(logged)).toEqual([])
})
