import { expect, onTestFinished, test } from 'vitest'
import { connectStream } from '../../src/client/index.ts'
import type { ConnectionEvent, DepthStream } from '../../src/client/index.ts'
import { eventually } from '../helpers/eventually.ts'
import { startRedis } from '../helpers/redis.ts'
import { openStream } from '../helpers/stream-client.ts'
import { temporaryFolder } from '../video/clip-file.ts'
import { startLeadline, startListening } from './leadline-process.ts'
import { parse } from './parse.ts'
import type { LeadlineProcess } from './leadline-process.ts'

const timeout = 120_000

interface NamedWorker extends LeadlineProcess {
  id: string
}

/** Of processes that share a Redis of their own. */
async function cellEnv(): Promise<NodeJS.ProcessEnv> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return { REDIS_URL: redis.url, LEADLINE_DATA_DIR: await temporaryFolder() }
}

/** A gateway, with processes of its own for all. */
async function startCell(): Promise<{ url: string; startWorker: () => Promise<NamedWorker> }> {
  const env = await cellEnv()
  const { url } = await startListening(['gateway'], env)
  const startWorker = async (): Promise<NamedWorker> => {
    const worker = startLeadline(['worker'], env)
    const [, id = ''] = await worker.printed(/serving: (\S+)/)
    return Object.assign(worker, { id })
  }
  return { url, startWorker }
}

/** Sends one frame after the other until it is told to stop, and reads what comes. */
function play(stream: DepthStream): { frames: () => number; stop: () => Promise<void> } {
  let sent = 0
  let isPlaying = true
  void readAll(stream)
  const playing = (async () => {
    while (isPlaying) {
      await stream.send({ data: new Uint8Array(48).fill(sent), codec: 'rgb24', width: 4, height: 4 })
      sent += 1
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return {
    frames: () => sent,
    stop: async () => {
      isPlaying = false
      await playing
    }
  }
}

test('leadline drain empties a worker and says what moved', { timeout }, async () => {
  const { url, startWorker } = await startCell()
  const first = await startWorker()
  const stream = await connectStream({ url, config: { delivery: 'lossless' } })
  const player = play(stream)
  await eventually(() => player.frames()).toBeGreaterThan(5)
  const second = await startWorker()
  const unknown = await parse(['drain', 'other', '--url', url])
  expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('There is no worker other') })
  expect(unknown.stderr).toContain(first.id)
  expect(unknown.stderr).toContain(second.id)
  const drained = await parse(['drain', first.id, '--url', url])
  expect(drained).toMatchObject({ exitCode: 0, stderr: '' })
  expect(drained.stdout).toMatch(/is empty: 1 session moved; the longest stood still for \d+ ms\.\n$/)
  await player.stop()
  const frames = player.frames()
  expect(await stream.close()).toMatchObject({ frames, results: frames, drops: 0, errors: 0 })
})

async function readAll(stream: DepthStream): Promise<void> {
  for await (const depth of stream.results) expect(depth.header.width).toBeGreaterThan(0)
}

test('SIGTERM of a worker gives its streams to another, and ends it', { timeout }, async () => {
  const { url, startWorker } = await startCell()
  const first = await startWorker()
  const stream = await connectStream({ url, config: { delivery: 'lossless' } })
  const player = play(stream)
  await eventually(() => player.frames()).toBeGreaterThan(5)
  const second = await startWorker()
  first.child.kill('SIGTERM')
  expect(await first.exited).toBe(0)
  expect(first.stderr).toContain('a session moved')
  expect(second.stderr).toContain('a session moved here')
  const before = player.frames()
  await eventually(() => player.frames()).toBeGreaterThan(before + 5)
  await player.stop()
  const frames = player.frames()
  expect(await stream.close()).toMatchObject({ frames, results: frames, drops: 0, errors: 0 })
})

test(
  'a worker that is alone says that nobody takes its streams, and ends them in time',
  { timeout },
  async () => {
    const { url, startWorker } = await startCell()
    const worker = await startWorker()
    const client = await openStream(url)
    worker.child.kill('SIGTERM')
    await eventually(() => worker.stderr).toContain('no other worker takes these sessions')
    expect(await client.expect('error')).toMatchObject({ code: 'DRAINING' })
    expect(await worker.exited).toBe(0)
  }
)

test('SIGTERM of a server that shares its Redis gives its streams to another', { timeout }, async () => {
  const env = await cellEnv()
  const first = await startListening(['serve'], env)
  const gateway = await startListening(['gateway'], env)
  const heard: ConnectionEvent[] = []
  const onConnection = (event: ConnectionEvent): void => void heard.push(event)
  const config = { delivery: 'lossless' } as const
  // One stream comes by the server that leaves, the other only to its worker.
  const own = await connectStream({ url: [first.url, gateway.url], config, onConnection })
  const other = await connectStream({ url: gateway.url, config, onConnection })
  const players = [play(own), play(other)]
  for (const player of players) await eventually(() => player.frames()).toBeGreaterThan(5)
  const second = await startListening(['serve'], env)
  first.child.kill('SIGTERM')
  expect(await first.exited).toBe(0)
  expect(second.stderr.match(/a session moved here/g)).toHaveLength(2)
  const before = players.map((player) => player.frames())
  for (const [i, player] of players.entries())
    await eventually(() => player.frames()).toBeGreaterThan(before[i]! + 5)
  for (const [i, stream] of [own, other].entries()) {
    await players[i]!.stop()
    const frames = players[i]!.frames()
    expect(await stream.close()).toMatchObject({ frames, results: frames, drops: 0, errors: 0 })
  }
  const continuities = heard.flatMap((event) => ('continuity' in event ? event.continuity : []))
  expect(continuities.length).toBeGreaterThanOrEqual(3)
  expect(new Set(continuities)).toEqual(new Set(['exact']))
})

test(
  'a server that shares its Redis with nobody ends though a stream may come back',
  { timeout },
  async () => {
    const server = await startListening(['serve'], await cellEnv())
    const client = await openStream(server.url, { resumable: true })
    server.child.kill('SIGTERM')
    await client.closed
    expect(await server.exited).toBe(0)
    expect(server.stderr).toContain('no other worker takes these sessions')
  }
)
