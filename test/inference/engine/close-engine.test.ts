import { expect, onTestFinished, test } from 'vitest'
import { closeEngine } from '../../../src/inference/engine/close-engine.ts'
import { ProcessExecutor } from '../../../src/inference/executors/process/process.ts'
import { fakeEngine, openSession, resultsOf, silent } from '../fake-engine.ts'
import { frameOf, noise } from '../frames.ts'

const small = { width: 56, height: 28 }
const large = { width: 84, height: 28 }

async function running() {
  const spec = { kind: 'fake', stuckWidth: large.width } as const
  const executor = await ProcessExecutor.start({ spec, log: silent })
  onTestFinished(() => executor.close())
  return { executor, engine: fakeEngine({ executor }) }
}

test('a session goes on while the model of another loads, and closing waits for no load', async () => {
  const { executor, engine } = await running()
  const [waiting, stream] = [await openSession(engine, 'waiting'), await openSession(engine, 'stream')]
  stream.submit(frameOf(1, 'rgb24', noise(1, small), small))
  await stream.flush()
  waiting.submit(frameOf(1, 'rgb24', noise(1, large), large))
  stream.submit(frameOf(2, 'rgb24', noise(2, small), small))
  await stream.flush()
  expect(resultsOf(stream.events)).toHaveLength(2)
  await closeEngine(engine, executor, 100)
  await closeEngine(engine, executor, 100)
  expect(waiting.events).toMatchObject([{ type: 'drop', seq: 1, reason: 'closed' }])
  expect(engine.reservedBytes).toBe(0)
})
