import { expect, onTestFinished, test } from 'vitest'
import { fakeManifest } from '../../../src/inference/executors/fake/fake-model.ts'
import { OrtNodeExecutor } from '../../../src/inference/executors/ort-node/ort-node.ts'
import type { Engine } from '../../../src/inference/engine/engine.ts'
import type { SessionConfig } from '../../../src/session.ts'
import { writeTinyModel } from '../../contract/tiny-model.ts'
import type { TinyModel } from '../../contract/tiny-model.ts'
import { fakeEngine, openSession, resultsOf } from '../fake-engine.ts'
import type { TestSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const size = { width: 56, height: 28 }
const frames = Array.from({ length: 40 }, (_, seq) => frameOf(seq, 'rgb24', patches(seq, size), size))
const config: SessionConfig = { delivery: 'lossless', cacheSize: 8, sceneCut: false }

/** On a real network, whose weights are small. */
function networkEngine({ architecture, digest, weightsPath }: TinyModel): Engine {
  const executor = new OrtNodeExecutor({ threads: 1 })
  onTestFinished(() => executor.close())
  const weights = { ...fakeManifest.weights, sha256: digest }
  const manifest = {
    ...fakeManifest,
    architecture: { ...fakeManifest.architecture, ...architecture },
    weights
  }
  const engine = fakeEngine({ executor, models: new Map([['fake', { manifest, weightsPath }]]) })
  onTestFinished(() => engine.closeAll())
  return engine
}

async function send(session: TestSession, from: number, to: number): Promise<void> {
  for (const frame of frames.slice(from, to)) session.submit(frame)
  await session.flush()
}

const mapsOf = (session: TestSession) => resultsOf(session.events).map(({ fingerprint }) => fingerprint)

test.each(['ovda', 'vda-stream'] as const)(
  '%s on a real network: moved with its latents, and parked, a session is the undisturbed one bit for bit',
  async (mode) => {
    const model = await writeTinyModel()
    onTestFinished(() => model.remove())
    const [there, elsewhere] = [networkEngine(model), networkEngine(model)]
    const undisturbed = await openSession(there, 'undisturbed', { ...config, mode })
    await send(undisturbed, 0, 40)
    const first = await openSession(there, 'moved', { ...config, mode })
    await send(first, 0, 30)
    const context = await first.context({ latents: true })
    const moved = await openSession(elsewhere, 'moved', { ...config, mode }, mode, context)
    await send(moved, 30, 36)
    expect(await moved.park()).toBeGreaterThan(0)
    expect(elsewhere.reservedBytes).toBe(0)
    await send(moved, 36, 40)
    expect(mapsOf(moved)).toEqual(mapsOf(undisturbed).slice(30))
  }
)
