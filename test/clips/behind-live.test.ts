import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { runClip } from '../../src/clips/running/run-clip.ts'
import { openDataFolder } from '../../src/clips/storage/data-folder.ts'
import { FolderStorage } from '../../src/clips/storage/folder-storage.ts'
import { loadConfig } from '../../src/config.ts'
import type { ModelHandle, StateHandle, StepResult, StepRow } from '../../src/inference/executor.ts'
import { FakeExecutor } from '../../src/inference/executors/fake/fake.ts'
import { mostPassed } from '../../src/inference/fairness/live-first.ts'
import { ownPixels } from '../../src/inference/pixels/pixel-work.ts'
import type { ServiceClass } from '../../src/metering/measures.ts'
import { sessionOptions } from '../../src/session.ts'
import { embeddedSessions, redisWorker } from '../../src/sessions/index.ts'
import type { Sessions } from '../../src/sessions/index.ts'
import { mp4, temporaryFolder } from '../helpers/clip-files.ts'
import { eventually } from '../helpers/eventually.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { startRedis } from '../helpers/redis.ts'
import type { RedisServer } from '../helpers/redis.ts'
import { redisConfig, startGateway } from '../helpers/redis-service.ts'
import { testClip } from '../helpers/test-clip.ts'
import { fakeEngine, Gate } from '../inference/fake-engine.ts'
import { frameOf, patches } from '../inference/frames.ts'

const size = { width: 56, height: 28 }
const clipFrames = 6
/** Of the camera, after a clip's share. */
const later = 4
const video = await mp4({ frames: clipFrames, ...size })
/** Slow machines take their time; nothing here depends on how long. */
const patienceMs = 120_000

/** Whose rows each step had: states are made in the order of the sessions' first frames. */
class WatchedExecutor extends FakeExecutor {
  readonly states: StateHandle[] = []
  readonly steps: StateHandle[][] = []

  override async newState(model: ModelHandle): Promise<StateHandle> {
    const state = await super.newState(model)
    this.states.push(state)
    return state
  }

  override step(model: ModelHandle, rows: readonly StepRow[]): Promise<StepResult[]> {
    this.steps.push(rows.map(({ state }) => state))
    return super.step(model, rows)
  }
}

/** A worker's engine, stepped by hand, that says which frames are ready. */
function watchedEngine() {
  const gate = new Gate()
  const executor = new WatchedExecutor({ beforeStep: gate.pass })
  const prepared = { live: 0, clip: 0 }
  const encoded = { live: 0, clip: 0 }
  const noting = (of: Record<ServiceClass, number>, service: ServiceClass) => () => void of[service]++
  const engine = fakeEngine({
    executor,
    pixels: {
      of: ({ service }) => ({
        prepare: (...asked) => ownPixels.prepare(...asked).finally(noting(prepared, service)),
        encode: (...asked) => ownPixels.encode(...asked).finally(noting(encoded, service))
      })
    }
  })
  onTestFinished(() => engine.closeAll())
  return { engine, executor, gate, prepared, encoded }
}

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

type Engine = ReturnType<typeof fakeEngine>
const ways: [string, (engine: Engine) => Promise<Sessions>][] = [
  [
    'in one process',
    async (engine) => {
      const sessions = await embeddedSessions(engine, quietLog())
      onTestFinished(() => sessions.close())
      return sessions
    }
  ],
  [
    'over Redis',
    async (engine) => {
      const config = redisConfig(redis.url)
      const worker = await redisWorker(config, engine, { log: quietLog() })
      onTestFinished(() => worker.close())
      return startGateway(config)
    }
  ]
]

/** A run of a clip, as a gateway has it. */
async function run(sessions: Sessions): Promise<unknown> {
  const config = { ...loadConfig({}), dataDir: await temporaryFolder() }
  const storage = new FolderStorage(await openDataFolder(config), quietLog())
  onTestFinished(() => storage.close())
  const clip = testClip({ model: 'fake', video: { ...size, fps: 25 }, sceneCut: false })
  await storage.create(clip.id)
  await writeFile(path.join(storage.folder(clip.id), 'clip'), video)
  return runClip({
    ...{ clip, owner: null, storage, run: 'run', sessions, limits: config },
    onProgress: () => undefined,
    signal: new AbortController().signal
  })
}

describe.each(ways)('%s', (_, start) => {
  test(
    'a clip beside a camera is stepped when no frame of the camera is ready, or after twenty that were',
    async () => {
      // Every step takes as long as every other: turns alone count.
      vi.useFakeTimers({ toFake: ['performance'] })
      onTestFinished(() => void vi.useRealTimers())
      const { engine, executor, gate, prepared, encoded } = watchedEngine()
      const sessions = await start(engine)
      const camera = await sessions.open(
        sessionOptions({ delivery: 'lossless', sceneCut: false }, 'fake'),
        () => undefined
      )
      const send = (seq: number) => camera.submit(frameOf(seq, 'rgb24', patches(seq, size), size))
      const order: ServiceClass[] = []
      const stepped = { live: 0, clip: 0 }
      const total = { live: 1 + mostPassed + later, clip: clipFrames }
      /** The next step, once all is ready that it, and the one after it, could be made of. */
      const step = async (): Promise<void> => {
        await gate.arrival()
        const rows = executor.steps.at(-1)!
        expect(rows).toHaveLength(1)
        const service = rows[0] === executor.states[0] ? 'live' : 'clip'
        order.push(service)
        stepped[service]++
        for (const each of ['live', 'clip'] as const) {
          const wanted = Math.min(total[each], stepped[each] + 1)
          if (order.length > 1) await eventually(() => prepared[each]).toBeGreaterThanOrEqual(wanted)
        }
        gate.letOnePass()
        await eventually(() => encoded[service]).toBe(stepped[service])
      }
      send(0)
      await step()
      const done = run(sessions)
      // Before whoever waits for its steps is closed.
      onTestFinished(async () => {
        gate.open()
        await Promise.allSettled([done])
      })
      // Nobody else has a frame: its first step begins, and what follows is ready by the time that it ends.
      await gate.arrival()
      for (let seq = 1; seq < total.live; seq++) send(seq)
      while (order.length < total.live + total.clip) await step()
      expect(order).toEqual([
        ...(['live', 'clip'] as const),
        ...Array.from({ length: mostPassed }, () => 'live'),
        'clip',
        ...Array.from({ length: later }, () => 'live'),
        ...Array.from({ length: clipFrames - 2 }, () => 'clip')
      ])
      expect(await done).toMatchObject({ frames: clipFrames })
      await camera.close()
    },
    patienceMs
  )
})
