import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { connectStream } from '../../src/client/index.ts'
import { eventually } from '../helpers/eventually.ts'
import { executorsOf } from '../helpers/executors.ts'
import { startRedis } from '../helpers/redis.ts'
import { openStream } from '../helpers/stream-client.ts'
import { temporaryFolder } from '../video/clip-file.ts'
import type { LeadlineProcess } from './leadline-process.ts'
import { startByNpm, startInTerminal, startLeadline, startListening } from './leadline-process.ts'

const timeout = 120_000
const services = ['serve', 'gateway', 'worker'] as const
type Service = (typeof services)[number]

const running: Record<Service, RegExp> = {
  serve: /listening: (http:\S+)/,
  gateway: /listening: (http:\S+)/,
  worker: /serving: (\S+)/
}

/** What a service needs to run, alone. */
async function surroundings(service: Service): Promise<NodeJS.ProcessEnv> {
  const env = { LEADLINE_PORT: '0', LEADLINE_DATA_DIR: await temporaryFolder() }
  if (service === 'serve') return env
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return { ...env, REDIS_URL: redis.url }
}

/** Have SIGUSR2 be a fault in native code, in the process and in its executor, and SIGCONT a failure. */
const faulty = { NODE_OPTIONS: `--import=${fileURLToPath(new URL('./faults.mjs', import.meta.url))}` }

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function expectDepth(url: string): Promise<void> {
  const stream = await connectStream({ url, config: { delivery: 'lossless' } })
  for (let i = 0; i < 3; i++)
    await stream.send({ data: new Uint8Array(48), codec: 'rgb24', width: 4, height: 4 })
  expect(await stream.close()).toMatchObject({ frames: 3, results: 3 })
}

async function startService(service: Service, env: NodeJS.ProcessEnv): Promise<LeadlineProcess> {
  const started = startLeadline([service], env)
  await started.printed(running[service])
  return started
}

test.each(services)(
  'a fault in native code ends %s, and its executor with it',
  { timeout },
  async (service) => {
    const started = await startService(service, { ...(await surroundings(service)), ...faulty })
    const executors = await executorsOf(started.child.pid)
    expect(executors).toHaveLength(service === 'gateway' ? 0 : 1)
    started.child.kill('SIGUSR2')
    await started.exited
    expect(started.child.signalCode).toBe('SIGSEGV')
    for (const pid of executors) await eventually(() => isAlive(pid)).toBe(false)
  }
)

test(
  'after a fault in native code a server starts again on the same port and folder',
  { timeout },
  async () => {
    const env = await surroundings('serve')
    const first = await startListening(['serve'], { ...env, ...faulty })
    first.child.kill('SIGUSR2')
    await first.exited
    const second = await startListening(['serve'], { ...env, LEADLINE_PORT: new URL(first.url).port })
    expect(second.url).toBe(first.url)
    await expectDepth(second.url)
  }
)

test('a fault in native code of the executor ends it alone', { timeout }, async () => {
  const server = await startListening(['serve'], { ...(await surroundings('serve')), ...faulty })
  await expectDepth(server.url)
  const [executor = 0] = await executorsOf(server.child.pid)
  process.kill(executor, 'SIGUSR2')
  await eventually(() => server.stderr).toContain('SIGSEGV')
  expect(isAlive(executor)).toBe(false)
  await expectDepth(server.url)
})

test.each(services)('a closed terminal ends %s cleanly', { timeout }, async (service) => {
  const started = startInTerminal([service], await surroundings(service))
  await started.printed(running[service])
  started.child.stdin.end()
  const [, ended = ''] = await started.printed(/ended: (.*)\n/)
  expect(JSON.parse(ended)).toEqual({ exitCode: 0 })
})

test('streams are told when the terminal of their server is closed', { timeout }, async () => {
  const server = startInTerminal(['serve'], await surroundings('serve'))
  const [, url = ''] = await server.printed(running.serve)
  const client = await openStream(url)
  server.child.stdin.end()
  expect(await client.expect('error')).toMatchObject({ code: 'DRAINING' })
  await server.printed(/ended: {"exitCode": 0}/)
})

test('a failure that nobody foresaw is logged and told to the streams', { timeout }, async () => {
  const server = await startListening(['serve'], { ...(await surroundings('serve')), ...faulty })
  const client = await openStream(server.url)
  server.child.kill('SIGCONT')
  expect(await client.expect('error')).toMatchObject({ code: 'DRAINING' })
  expect(await server.exited).toBe(1)
  expect(server.stderr).toContain('nobody foresaw this')
})

test('a server whose output nobody reads any more goes on, and ends cleanly', { timeout }, async () => {
  const server = await startListening(['serve'], {
    ...(await surroundings('serve')),
    LEADLINE_LOG_LEVEL: 'debug'
  })
  server.child.stdout.destroy()
  server.child.stderr.destroy()
  await expectDepth(server.url)
  server.child.kill('SIGTERM')
  const [code] = (await once(server.child, 'exit')) as [number]
  expect(code).toBe(0)
})

test('SIGTERM to the documented command ends the worker behind npm', { timeout }, async () => {
  const npm = startByNpm(['worker'], await surroundings('worker'))
  await npm.printed(running.worker)
  const [, pid] = /"pid":(\d+)/.exec(npm.stderr) ?? []
  npm.child.kill('SIGTERM')
  await npm.exited
  expect(isAlive(Number(pid))).toBe(false)
  expect(npm.stderr).toContain('"signal":"SIGTERM"')
})

test('Ctrl-C behind npm, which comes twice, lets a server tell its streams', { timeout }, async () => {
  const npm = startInTerminal(['serve'], { ...(await surroundings('serve')), by: 'npm' })
  const [, url = ''] = await npm.printed(running.serve)
  const client = await openStream(url)
  npm.child.stdin.write('\x03')
  expect(await client.expect('error')).toMatchObject({ code: 'DRAINING' })
  await npm.printed(/ended: /)
})

test('a second signal ends a worker at once that waits for its sessions', { timeout }, async () => {
  const env = await surroundings('worker')
  const gateway = await startListening(['gateway'], env)
  const worker = await startService('worker', env)
  const client = await openStream(gateway.url)
  worker.child.kill('SIGTERM')
  await eventually(() => worker.stderr).toContain('"draining"')
  await sleep(1500) // npm's echo of a signal is no second one
  worker.child.kill('SIGINT')
  await worker.exited
  expect(worker.child.signalCode).toBe('SIGINT')
  expect(await client.expect('error')).toMatchObject({ code: 'WORKER_LOST' })
})

test('a signal ends a service that is still starting', { timeout }, async () => {
  const server = startLeadline(['serve'], {
    ...(await surroundings('serve')),
    LEADLINE_EXECUTOR: 'auto',
    LEADLINE_WARMUP: '1920x1080,1080x1920,640x480'
  })
  await eventually(() => executorsOf(server.child.pid)).toHaveLength(1)
  const executors = await executorsOf(server.child.pid)
  server.child.kill('SIGTERM')
  await server.exited
  expect(server.child.signalCode).toBe('SIGTERM')
  for (const pid of executors) await eventually(() => isAlive(pid)).toBe(false)
})
