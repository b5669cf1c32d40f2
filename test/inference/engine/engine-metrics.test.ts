import { expect, onTestFinished, test } from 'vitest'
import { EngineMetrics } from '../../../src/inference/engine/engine-metrics.ts'
import { FakeExecutor } from '../../../src/inference/executors/fake/fake.ts'
import { BudgetedExecutor } from '../budgeted-executor.ts'
import { fakeEngine, openSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const size = { width: 56, height: 28 }

test('what an engine steps, holds and moves can be read, and no cache is moved', async () => {
  const metrics = new EngineMetrics()
  const executor = new FakeExecutor()
  const engine = fakeEngine({ executor, meter: metrics })
  onTestFinished(() => engine.closeAll())
  metrics.watch(engine, executor, () => true)
  const session = await openSession(engine, 'a', { delivery: 'lossless' })
  for (const seq of [1, 2, 3]) session.submit(frameOf(seq, 'rgb24', patches(seq, size), size))
  await session.flush()

  const text = await metrics.registry.metrics()
  for (const line of [
    `leadline_reserved_bytes ${session.opened.bytes}`,
    'leadline_capacity_bytes 10000000',
    'leadline_parked_bytes 0',
    'leadline_degraded 0',
    'leadline_frames_stepped_total 3',
    'leadline_step_rows_bucket{le="1"} 3',
    'leadline_step_seconds_count 3',
    `leadline_transfer_bytes_total{direction="to_device",kind="frame"} ${3 * 56 * 28 * 3}`,
    `leadline_transfer_bytes_total{direction="to_host",kind="depth"} ${3 * 56 * 28 * 4}`,
    'leadline_transfer_bytes_total{direction="to_device",kind="cache"} 0',
    'leadline_transfer_bytes_total{direction="to_host",kind="cache"} 0'
  ])
    expect(text.split('\n')).toContain(line)
})

test('losses of the executor are counted', async () => {
  const metrics = new EngineMetrics()
  const executor = new BudgetedExecutor(1_000_000)
  const engine = fakeEngine({ executor })
  onTestFinished(() => engine.closeAll())
  metrics.watch(engine, executor, () => true)
  expect(await metrics.registry.metrics()).toMatch(/^leadline_executor_losses_total 0$/m)
  executor.crash()
  expect(await metrics.registry.metrics()).toMatch(/^leadline_executor_losses_total 1$/m)
})

test('while the executor is gone its figures read as none, and the engine’s are there', async () => {
  const metrics = new EngineMetrics()
  const executor = new FakeExecutor()
  executor.transfers = () => Promise.reject(new Error('gone'))
  const engine = fakeEngine({ executor })
  onTestFinished(() => engine.closeAll())
  metrics.watch(engine, executor, () => true)
  const lines = (await metrics.registry.metrics()).split('\n')
  expect(lines).toContain('leadline_frames_stepped_total 0')
  expect(lines).toContain('leadline_degraded 0')
})
