import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { loadConfig } from '../../../../src/config.ts'
import type { LeadlineError } from '../../../../src/errors.ts'
import type { Plan } from '../../../../src/inference/executor.ts'
import type { ProcessExecutorOptions } from '../../../../src/inference/executors/process/process.ts'
import { ProcessExecutor } from '../../../../src/inference/executors/process/process.ts'
import { servedModels } from '../../../../src/inference/engine/served-models.ts'
import { noWeights, smallPlan } from '../../../contract/plans.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { silent } from '../../fake-engine.ts'
import { noise } from '../../frames.ts'

const plan = smallPlan(noWeights)
const frame = noise(1, plan)

async function start(options: Partial<ProcessExecutorOptions> = {}): Promise<ProcessExecutor> {
  const executor = await ProcessExecutor.start({ spec: { kind: 'fake' }, log: silent, ...options })
  onTestFinished(() => executor.close())
  return executor
}

async function loaded(executor: ProcessExecutor): Promise<{ model: number; state: number }> {
  const model = await executor.load(plan)
  return { model, state: await executor.newState(model) }
}

test('a crash fails what waits, names the signal, tells the loss once, and the next load starts anew', async () => {
  const executor = await start({ spec: { kind: 'fake', stepMs: 60_000 } })
  const losses: LeadlineError[] = []
  executor.onLoss((failure) => losses.push(failure))
  const { model, state } = await loaded(executor)
  const row = { state, framesSeen: 0, frame }
  const waiting = [executor.step(model, [row]), executor.newState(model)]
  process.kill(executor.pid!, 'SIGSEGV')
  for (const call of waiting) {
    await expect(call).rejects.toMatchObject({
      code: 'EXECUTOR_FAILED',
      message: expect.stringContaining('SIGSEGV')
    })
  }
  expect(losses).toHaveLength(1)
  const again = await loaded(executor)
  expect(again.model).not.toBe(model)
  expect(again.state).not.toBe(state)
})

test('handles of a process that died are refused, and freeing them does no harm', async () => {
  const executor = await start()
  const { model, state } = await loaded(executor)
  const lost = new Promise((resolve) => executor.onLoss(resolve))
  process.kill(executor.pid!, 'SIGKILL')
  await lost
  const again = await loaded(executor)
  const row = { state, framesSeen: 0, frame }
  await expect(executor.step(again.model, [row])).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
  await expect(executor.newState(model)).rejects.toMatchObject({ code: 'EXECUTOR_FAILED' })
  await executor.free(state)
  await executor.unload(model)
  expect(await executor.step(again.model, [{ ...row, state: again.state }])).toHaveLength(1)
})

test('an executor that died before it did anything is not alive until a load starts it anew', async () => {
  const executor = await start()
  expect(executor.isAlive).toBe(true)
  const lost = new Promise((resolve) => executor.onLoss(resolve))
  process.kill(executor.pid!, 'SIGKILL')
  await lost
  expect(executor.isAlive).toBe(false)
  await loaded(executor)
  expect(executor.isAlive).toBe(true)
})

test('a process that is stopped is killed and counts as dead, and another is started at once', async () => {
  const executor = await start()
  const { model, state } = await loaded(executor)
  const row = { state, framesSeen: 0, frame }
  await executor.step(model, [row])
  const stopped = executor.pid!
  process.kill(stopped, 'SIGSTOP')
  await expect(executor.step(model, [row])).rejects.toMatchObject({
    code: 'EXECUTOR_FAILED',
    message: expect.stringMatching(/did nothing for \d+ ms, asleep in "step" and was killed/)
  })
  await expect.poll(() => isAlive(stopped), { timeout: 90_000 }).toBe(false)
  expect(executor.pid).not.toBe(stopped)
  expect(isAlive(executor.pid!)).toBe(true)
  await loaded(executor)
})

test('a load may take any time while the process works, and no longer than told when it stops', async () => {
  const model = (await servedModels(loadConfig({}), silent)).get('leadline-nano')!
  const { weightsPath, manifest } = model
  const spec = { kind: 'ort-capi', device: 'cpu', threads: 1, maxBatch: 16 } as const
  const executor = await start({ spec, loadStillMs: 2_000 })
  const nano: Plan = {
    ...plan,
    weightsPath,
    architecture: manifest.architecture,
    digest: manifest.weights.sha256
  }
  // On a usual machine sixteen rows take twice as long as it may be still.
  await executor.load({ ...nano, width: 288, height: 160 })
  const other = executor.load({ ...nano, width: 320, height: 160 })
  process.kill(executor.pid!, 'SIGSTOP')
  await expect(other).rejects.toMatchObject({
    code: 'EXECUTOR_FAILED',
    message: expect.stringMatching(/did nothing for \d+ ms, asleep in "load" and was killed/)
  })
})

test(
  'ONNX Runtime keeps no identifier of the machine and tells nobody of it',
  { timeout: 120_000 },
  async () => {
    const model = (await servedModels(loadConfig({}), silent)).get('leadline-nano')!
    const home = await mkdtemp(path.join(os.tmpdir(), 'leadline-home-'))
    onTestFinished(() => rm(home, { recursive: true, force: true }))
    // It is silent by itself where a build is tested.
    for (const name of ['CI', 'ORT_DISABLE_TELEMETRY', 'XDG_CACHE_HOME']) vi.stubEnv(name, undefined)
    vi.stubEnv('HOME', home)
    onTestFinished(() => void vi.unstubAllEnvs())
    const executor = await start({ spec: { kind: 'ort-node', threads: 1 } })
    const { weightsPath, manifest } = model
    const { architecture, weights } = manifest
    await executor.load({ ...plan, weightsPath, architecture, digest: weights.sha256, width: 64, height: 32 })
    await executor.close()
    expect(await readdir(home)).toEqual([])
  }
)

test('while a model loads, the steps of others go on, and only other loads wait', async () => {
  const executor = await start({ spec: { kind: 'fake', stuckWidth: 84 } })
  const { model, state } = await loaded(executor)
  const stuck = executor.load({ ...plan, width: 84 }).catch((error: unknown) => error)
  const another = executor.load({ ...plan, width: 56 }).catch((error: unknown) => error)
  for (const framesSeen of [0, 1, 2])
    expect(await executor.step(model, [{ state, framesSeen, frame }])).toHaveLength(1)
  expect(await Promise.race([stuck, another, executor.newState(model)])).toBeGreaterThan(0)
  process.kill(executor.pid!, 'SIGKILL')
  for (const load of [stuck, another]) expect(await load).toMatchObject({ code: 'EXECUTOR_FAILED' })
})

test('a process that dies while it loads beside a step may have died of either', async () => {
  const executor = await start({ spec: { kind: 'fake', stuckWidth: 84, stepMs: 60_000 } })
  const lost = new Promise<LeadlineError>((resolve) => executor.onLoss(resolve))
  const { model, state } = await loaded(executor)
  const calls = [
    executor.load({ ...plan, width: 84 }),
    executor.step(model, [{ state, framesSeen: 0, frame }]),
    executor.newState(model)
  ].map((call) => call.catch((error: unknown) => error))
  process.kill(executor.pid!, 'SIGKILL')
  const failure = await lost
  const [load, step, waiting] = await Promise.all(calls)
  expect([load === failure, step === failure, waiting === failure]).toEqual([true, true, false])
})

test('after a loss nothing goes on beside a load, so that the next is known to be of it or not', async () => {
  const executor = await start({ spec: { kind: 'fake', stuckWidth: 84 } })
  await loaded(executor)
  const firstLoss = new Promise((resolve) => executor.onLoss(resolve))
  process.kill(executor.pid!, 'SIGKILL')
  await firstLoss
  const { model, state } = await loaded(executor)
  const lost = new Promise<LeadlineError>((resolve) => executor.onLoss(resolve))
  const load = executor.load({ ...plan, width: 84 }).catch((error: unknown) => error)
  const step = executor.step(model, [{ state, framesSeen: 0, frame }]).catch((error: unknown) => error)
  process.kill(executor.pid!, 'SIGKILL')
  const failure = await lost
  expect([(await load) === failure, (await step) === failure]).toEqual([true, false])
})

test('only the call that a process died in fails with the failure that the listeners are told', async () => {
  const executor = await start({ spec: { kind: 'fake', stepMs: 60_000 } })
  const lost = new Promise<LeadlineError>((resolve) => executor.onLoss(resolve))
  const { model, state } = await loaded(executor)
  const first = executor.step(model, [{ state, framesSeen: 0, frame }]).catch((error: unknown) => error)
  const second = executor.newState(model).catch((error: unknown) => error)
  process.kill(executor.pid!, 'SIGKILL')
  expect(await first).toBe(await lost)
  expect(await second).not.toBe(await lost)
})

test('named failures cross the pipe as they are', async () => {
  const executor = await start({ spec: { kind: 'ort-node', threads: 1 } })
  await expect(executor.load({ ...plan, weightsPath: '/nowhere/model.safetensors' })).rejects.toMatchObject({
    code: 'MODEL_FILE_INVALID',
    message: expect.stringContaining('/nowhere/model.safetensors')
  })
})

test('what the process prints goes to the log', async () => {
  const lines: { level: number; msg: string }[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) })
  // Node itself prints a warning for this one.
  const before = process.env['NODE_OPTIONS']
  process.env['NODE_OPTIONS'] = '--trace-exit'
  onTestFinished(() => {
    if (before === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = before
  })
  const executor = await start({ log })
  await executor.close()
  expect(lines.map(({ msg }) => msg).join('\n')).toMatch(/Exited the environment/)
})

test('an orphaned process ends', async () => {
  const { parent, child } = await lonelyParent()
  parent.kill('SIGKILL')
  await eventually(() => isAlive(child)).toBe(false)
})

test.skipIf(process.platform !== 'linux')('an orphaned process ends though it is stopped', async () => {
  const { parent, child } = await lonelyParent()
  process.kill(child, 'SIGSTOP')
  parent.kill('SIGKILL')
  await eventually(() => isAlive(child)).toBe(false)
})

/** A process that has an executor process, and the pid of that. */
async function lonelyParent(): Promise<{ parent: ChildProcess; child: number }> {
  const source = fileURLToPath(new URL('./lonely-parent.ts', import.meta.url))
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const parent = spawn(process.execPath, ['--import', loader, source], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  onTestFinished(() => void parent.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  return { parent, child: Number(line) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
