import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Engine } from '../../src/inference/engine/engine.ts'
import { OrtNodeExecutor } from '../../src/inference/executors/ort-node/ort-node.ts'
import { inferSequence, ProcessExecutor } from '../../src/inference/index.ts'
import type { ServedModel } from '../../src/inference/index.ts'
import { ownPixels } from '../../src/inference/pixels/pixel-work.ts'
import { testApp } from '../helpers/build-app.ts'
import { frameMessage, openStream } from '../helpers/stream-client.ts'
import type { Received, StreamClient } from '../helpers/stream-client.ts'
import { fingerprint, silent } from '../inference/fake-engine.ts'
import { patches } from '../inference/frames.ts'
import { temporaryFolder, writeTinyModel } from '../inference/models/model-folder.ts'
import { WindowSession } from '../../src/inference/offline/window-session.ts'

const size = { width: 56, height: 42 }
const config = { delivery: 'lossless', output: { format: 'f32' }, sceneCut: false } as const

async function tinyModel(): Promise<ServedModel> {
  const folder = await temporaryFolder()
  await mkdir(folder, { recursive: true })
  const manifest = await writeTinyModel(folder)
  return { manifest, weightsPath: path.join(folder, manifest.name, manifest.weights.file) }
}

/** A server on a real network whose executor runs in a process of its own. */
async function serve(model: ServedModel) {
  const executor = await ProcessExecutor.start({ spec: { kind: 'ort-node', threads: 1 }, log: silent })
  onTestFinished(() => executor.close())
  const engine = new Engine({
    openWindows: (options) => new WindowSession(options),
    executor,
    models: new Map([['tiny', model]]),
    ...{
      capacityBytes: 2 ** 26,
      replayBytes: 2 ** 26,
      parkedBytes: 0,
      maxPixels: 1_000_000,
      pixels: ownPixels,
      log: silent
    }
  })
  onTestFinished(() => engine.closeAll())
  const { listen } = await testApp({ engine, config: { defaultModel: 'tiny' } })
  return { executor, url: await listen() }
}

/** What the same frames give without a crash. */
async function undisturbed(
  model: ServedModel,
  numFrames: number,
  mode: 'ovda' | 'single'
): Promise<string[]> {
  const executor = new OrtNodeExecutor({ threads: 1 })
  onTestFinished(() => executor.close())
  const frames = Array.from({ length: numFrames }, (_, seq) => ({ rgb: patches(seq, size), ...size }))
  const depths: string[] = []
  for await (const { depth } of inferSequence(executor, model, { mode, cacheSize: null }, frames))
    depths.push(fingerprint(depth))
  return depths
}

function sendFrames(stream: StreamClient, from: number, to: number): void {
  for (let seq = from; seq < to; seq++)
    stream.send(frameMessage(seq, patches(seq, size), { codec: 'rgb24', ...size }))
}

async function take(stream: StreamClient, count: number): Promise<Received[]> {
  const received: Received[] = []
  while (received.length < count) received.push(await stream.next())
  return received
}

const depthsIn = (received: Received[]) =>
  received.flatMap((message) => (message.type === 'result' ? [fingerprint(message.payload)] : []))

test('a crash of the executor in the middle of two streams costs no frame, and each depth map is what it would have been', async () => {
  const model = await tinyModel()
  const { executor, url } = await serve(model)
  const stream = await openStream(url, config)
  const single = await openStream(url, { ...config, mode: 'single' })
  for (const one of [stream, single]) sendFrames(one, 0, 4)
  const received = await take(stream, 4)
  const alone = await take(single, 4)
  for (const one of [stream, single]) sendFrames(one, 4, 9)
  process.kill(executor.pid!, 'SIGSEGV')
  received.push(...(await take(stream, 5)))
  alone.push(...(await take(single, 5)))
  for (const one of [stream, single]) {
    sendFrames(one, 9, 12)
    one.send({ type: 'close' })
  }
  received.push(...(await stream.rest()))
  alone.push(...(await single.rest()))
  const told = received.filter(({ type }) => type === 'recovered')
  expect(told).toEqual([{ type: 'recovered', epoch: 1, seq: expect.any(Number), continuity: 'exact' }])
  const seqs = received.flatMap((message) => (message.type === 'result' ? [message.header.seq] : []))
  expect(seqs).toEqual(Array.from({ length: 12 }, (_, seq) => seq))
  expect(depthsIn(received)).toEqual(await undisturbed(model, 12, 'ovda'))
  expect(depthsIn(alone)).toEqual(await undisturbed(model, 12, 'single'))
  for (const messages of [received, alone])
    expect(messages.at(-1)).toMatchObject({ type: 'summary', frames: 12, results: 12, drops: 0, errors: 0 })
})
