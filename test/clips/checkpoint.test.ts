import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runClip } from '../../src/clips/running/run-clip.ts'
import { openDataFolder } from '../../src/clips/storage/data-folder.ts'
import { FolderStorage } from '../../src/clips/storage/folder-storage.ts'
import { loadConfig } from '../../src/config.ts'
import { embeddedSessions } from '../../src/sessions/index.ts'
import type { SessionHandle, Sessions } from '../../src/sessions/index.ts'
import { mp4 } from '../helpers/clip-files.ts'
import { fakeEngine } from '../helpers/fake-engine.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { testClip } from '../helpers/test-clip.ts'
import { temporaryFolder } from '../video/clip-file.ts'

/** One scene of more frames than lie between three checkpoints. */
const shape = { frames: 530, width: 84, height: 56 }
const video = await mp4(shape)
/** Slow machines take their time; nothing here depends on how long. */
const patienceMs = 600_000

/** A server's part in clips, and what its sessions were asked for. */
async function server() {
  const config = { ...loadConfig({}), dataDir: await temporaryFolder() }
  const log = quietLog()
  const storage = new FolderStorage(await openDataFolder(config), log)
  onTestFinished(() => storage.close())
  const inner = await embeddedSessions(fakeEngine(), log, config)
  onTestFinished(() => inner.close())
  /** The first frame of each session, and how many it had. */
  const asked: { first: number; frames: number }[] = []
  /** Told of each frame before it is submitted; true: the session's worker is lost. */
  let onFrame: (seq: number) => boolean = () => false
  const sessions: Sessions = {
    ...inner,
    open: async (wish, onEvent) => {
      const session = await inner.open(wish, onEvent)
      const own = { first: -1, frames: 0 }
      asked.push(own)
      const submit = session.submit.bind(session)
      return Object.assign(session, {
        submit(frame: Parameters<SessionHandle['submit']>[0]) {
          if (own.frames++ === 0) own.first = frame.header.seq
          if (!onFrame(frame.header.seq)) return submit(frame)
          onEvent({ type: 'error', seq: null, code: 'WORKER_LOST', detail: 'Its worker died' })
        }
      })
    }
  }

  async function clipOf(): Promise<string> {
    const { id } = testClip()
    await storage.create(id)
    await writeFile(path.join(storage.folder(id), 'clip'), video)
    return id
  }

  /** A run of it; cut off at a frame, if one is given. */
  async function run(id: string, cutOffAt = Infinity): Promise<void> {
    const end = new AbortController()
    const clip = testClip({ id, video: { width: 84, height: 56, fps: 25 }, sceneCut: false })
    const running = runClip({
      ...{ clip, owner: null, storage, run: String(Math.random()), sessions, limits: config },
      onProgress: (frames) => void (frames >= cutOffAt && end.abort()),
      signal: end.signal
    })
    if (cutOffAt < Infinity) await expect(running).rejects.toThrow(/abort/)
    else expect(await running).toMatchObject({ frames: shape.frames })
  }

  const filesOf = async (id: string) => (await readdir(storage.folder(id))).sort()
  return {
    ...{ run, clipOf, asked, filesOf },
    checkpoints: async (id: string) => (await filesOf(id)).filter((name) => name.endsWith('.llcx')),
    pathOf: (id: string, name: string) => path.join(storage.folder(id), name),
    result: (id: string) => readFile(path.join(storage.folder(id), 'depth.npz')),
    setOnFrame: (listener: typeof onFrame) => void (onFrame = listener)
  }
}

test(
  'a run that follows one that was cut off steps again from the last checkpoint alone, to the same bits',
  async () => {
    const { run, clipOf, asked, checkpoints, result } = await server()
    const undisturbed = await clipOf()
    await run(undisturbed)
    expect(asked).toEqual([{ first: 0, frames: shape.frames }])
    expect(await checkpoints(undisturbed)).toEqual(['context-00000511.llcx'])
    const id = await clipOf()
    await run(id, 300)
    expect(await checkpoints(id)).toEqual(['context-00000255.llcx'])
    await run(id)
    expect(asked.at(-1)).toEqual({ first: 256, frames: shape.frames - 256 })
    expect((await result(id)).equals(await result(undisturbed))).toBe(true)
  },
  patienceMs
)

test(
  'so does a session that follows one that was lost, in the same run',
  async () => {
    const { run, clipOf, asked, result, setOnFrame } = await server()
    const undisturbed = await clipOf()
    await run(undisturbed)
    const id = await clipOf()
    let isLost = false
    setOnFrame((seq) => seq === 400 && !isLost && (isLost = true))
    await run(id)
    expect(asked.slice(1).map(({ first }) => first)).toEqual([0, 256])
    expect((await result(id)).equals(await result(undisturbed))).toBe(true)
  },
  patienceMs
)

test(
  'a checkpoint that is damaged, is ahead of the depth, or is of another session is left, for the start',
  async () => {
    const { run, clipOf, asked, checkpoints, pathOf, result } = await server()
    const undisturbed = await clipOf()
    await run(undisturbed)
    const damaged = await clipOf()
    await run(damaged, 300)
    const file = pathOf(damaged, 'context-00000255.llcx')
    const bytes = await readFile(file)
    bytes[bytes.length - 40]! ^= 1
    await writeFile(file, bytes)
    await run(damaged)
    expect(asked.at(-1)).toEqual({ first: 0, frames: shape.frames })
    const ahead = await clipOf()
    await run(ahead, 40)
    await writeFile(
      pathOf(ahead, 'context-00000511.llcx'),
      await readFile(pathOf(undisturbed, 'context-00000511.llcx'))
    )
    await run(ahead)
    expect(asked.at(-1)).toEqual({ first: 0, frames: shape.frames })
    for (const id of [damaged, ahead]) {
      expect(await checkpoints(id)).toEqual(['context-00000511.llcx'])
      expect((await result(id)).equals(await result(undisturbed))).toBe(true)
    }
  },
  patienceMs
)
