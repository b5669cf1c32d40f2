import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { Access } from '../../../src/access/index.ts'
import { buildApp } from '../../../src/api/index.ts'
import type { Config } from '../../../src/config.ts'
import { loadConfig } from '../../../src/config.ts'
import { redisGateway, redisWorker } from '../../../src/sessions/index.ts'
import type { WorkerHandle } from '../../../src/sessions/index.ts'
import { mp4, temporaryFolder } from '../../helpers/clip-files.ts'
import { accepted, ended, state } from '../../helpers/clip-requests.ts'
import { eventually } from '../../helpers/eventually.ts'
import { fakeEngine, stepGate, testModel } from '../../helpers/fake-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'
import { randomPrefix, startRedis } from '../../helpers/redis.ts'

const shape = { frames: 12, width: 84, height: 56 }

async function service() {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const env = {
    REDIS_URL: redis.url,
    LEADLINE_KEY_PREFIX: randomPrefix(),
    LEADLINE_MODEL: testModel,
    LEADLINE_LAME_DUCK_MS: '0'
  }
  const config: Config = { ...loadConfig(env), dataDir: await temporaryFolder() }
  const sessions = await redisGateway(config, quietLog())
  const app = await buildApp({ access: new Access(null), config, sessions, log: pino({ level: 'silent' }) })
  onTestFinished(async () => {
    await app.close()
    await sessions.close()
  })
  const startWorker = async (engine = fakeEngine()): Promise<WorkerHandle> => {
    const worker = await redisWorker(config, engine, { log: quietLog() })
    onTestFinished(() => worker.close())
    return worker
  }
  return { app, startWorker }
}

test('a clip that comes while no worker is up waits for one', async () => {
  const { app, startWorker } = await service()
  const { id } = await accepted(app, await mp4(shape), '?results=npz')
  await eventually(async () => (await state(app, id)).state).toBe('running')
  await startWorker()
  expect(await ended(app, id)).toMatchObject({ state: 'done', progress: { frames: 12, frameCount: 12 } })
}, 60_000)

test('a clip whose worker shuts down begins again on another', async () => {
  const { app, startWorker } = await service()
  const gate = stepGate()
  const first = await startWorker(fakeEngine({ beforeStep: gate.beforeStep }))
  const { id } = await accepted(app, await mp4({ ...shape, frames: 200 }), '?results=npz')
  await eventually(async () => (await state(app, id)).progress.frames).toBeGreaterThan(3)
  gate.shut()
  await startWorker()
  const closed = first.close()
  gate.open()
  await closed
  expect(await ended(app, id)).toMatchObject({ state: 'done', progress: { frames: 200, frameCount: 200 } })
}, 60_000)
