import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readRecording } from '../../../src/cli/recording/read-recording.ts'
import { recorded } from '../../../src/cli/recording/recorded.ts'
import { sessionsOf } from '../../../src/cli/recording/recorded-session.ts'
import { RecordingFile } from '../../../src/cli/recording/recording-file.ts'
import { startRelay } from '../../../src/cli/recording/relay.ts'
import { replayRecording } from '../../../src/cli/recording/replay.ts'
import type { ReplayReport } from '../../../src/cli/recording/replay.ts'
import { connectStream } from '../../../src/client/index.ts'
import type { StreamOptions } from '../../../src/client/index.ts'
import { testApp } from '../../helpers/build-app.ts'
import { freePort } from '../../helpers/free-port.ts'
import { HashEngine } from '../../helpers/hash-engine.ts'
import { startLinkProxy } from '../../helpers/link-proxy.ts'
import { connect } from '../../helpers/stream-client.ts'

async function setup() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leadline-recording-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const engine = new HashEngine()
  const { listen } = await testApp({ engine, config: { defaultModel: 'hash' } })
  const url = await listen()
  const file = path.join(folder, 'a.recording')
  const replay = (isRealTime = false): Promise<ReplayReport> =>
    replayRecording(file, { url, isRealTime, signal: new AbortController().signal })
  return { engine, file, url, replay }
}

const same = { different: 0, first: null, isCut: false, otherWeights: [] }

/** A stream with a reset and a flush in it, from end to end. */
async function streamSome(options: StreamOptions, count = 20): Promise<void> {
  const stream = await connectStream({ ...options, config: { delivery: 'lossless', ...options.config } })
  const reading = (async () => {
    for await (const outcome of stream.outcomes) void outcome
  })()
  for (let seq = 0; seq < count; seq++) {
    if (seq === 7) stream.reset()
    await stream.send({ data: Uint8Array.of(1, seq, 3), codec: 'jpeg' })
    if (seq === 12) await stream.flush()
  }
  await stream.close()
  await reading
}

test('what was recorded comes again, bit for bit, as fast as it goes and at its own pace', async () => {
  const { file, replay, url } = await setup()
  await recorded(url, file, (relay) => streamSome({ url: relay }))
  expect(await replay()).toMatchObject({ ...same, sessions: 1, equal: 20, skipped: 0 })
  expect(await replay(true)).toMatchObject({ ...same, sessions: 1, equal: 20 })
})

test('it is for its user alone, and holds no token, key or ticket', async () => {
  const { file, url } = await setup()
  const credentials = () => ({ headers: { authorization: 'Bearer llk_hidden' } })
  let token = ''
  await recorded(url, file, async (relay) => {
    await streamSome({ url: `${relay}/?ticket=hidden`, credentials })
    const client = await connect(relay.replace('ws', 'http'))
    client.send({ type: 'config', resumable: true })
    token = (await client.expect('ready')).resumeToken
    client.send('{"type":"config","resume":{"token":"half hidd')
    await client.rest()
  })
  const text = await readFile(file, 'utf8')
  expect(token).toMatch(/\w{10}/)
  expect(text).not.toContain(token)
  expect(text).not.toMatch(/hidden|hidd|Bearer|lk_/)
  expect(text).toContain('redacted')
  expect((await stat(file)).mode & 0o077).toBe(0)
})

test('a recording that was cut off anywhere is good up to there', async () => {
  const { file, replay, url } = await setup()
  await recorded(url, file, (relay) => streamSome({ url: relay }))
  const { size } = await stat(file)
  for (const share of [0.95, 0.7, 0.5]) {
    await truncate(file, Math.floor(size * share))
    const report = await replay()
    expect(report).toMatchObject({ ...same, isCut: true })
    expect(report.equal).toBeGreaterThan(0)
    expect(report.equal).toBeLessThanOrEqual(20)
  }
})

test('the first difference is told with its frame', async () => {
  const { file, replay, url } = await setup()
  await recorded(url, file, (relay) => streamSome({ url: relay }))
  const lines = (await readFile(file, 'utf8')).split('\n')
  const { entries } = await readRecording(file)
  const [session] = sessionsOf(entries)
  const altered = lines.map((line) => {
    const entry = line === '' ? {} : (JSON.parse(line) as { from?: string; base64?: string })
    if (entry.from !== 'client' || entry.base64 === undefined) return line
    const message = Buffer.from(entry.base64, 'base64')
    if (message.readUInt32LE(8) === 9) message[message.length - 1]! ^= 1
    return JSON.stringify({ ...entry, base64: message.toString('base64') })
  })
  await writeFile(file, altered.join('\n'))
  const report = await replay()
  // The chain of hashes is another from there on.
  expect(report).toMatchObject({ equal: 9, different: 11, first: { session: session?.id, seq: 9 } })
  expect(report.first?.difference).toMatch(/^\d+ of the 32 bytes of its depth map differ$/)
})

test('latest: frames that gave way are left out, and the others are the same', async () => {
  const { engine, file, replay, url } = await setup()
  await recorded(url, file, async (relay) => {
    engine.hold()
    setTimeout(() => engine.resume(), 200)
    await streamSome({ url: relay, config: { delivery: 'latest' } }, 60)
  })
  const report = await replay()
  expect(report).toMatchObject(same)
  expect(report.skipped).toBeGreaterThan(0)
  expect(report.equal + report.skipped).toBe(60)
})

test('a session over several sockets is replayed as one', async () => {
  const { file, replay, url } = await setup()
  await recorded(url, file, async (relay) => {
    const proxy = await startLinkProxy(Number(new URL(relay).port))
    let sockets = 0
    const onConnection: StreamOptions['onConnection'] = ({ type }) => {
      if (type === 'resumed') sockets += 1
    }
    proxy.cutAfter(3000)
    await streamSome({ url: `http://127.0.0.1:${proxy.port}`, onConnection }, 40)
    expect(sockets).toBe(1)
    await proxy.stop()
  })
  expect(await replay()).toMatchObject({ ...same, sessions: 1, equal: 40 })
})

test('a session that went on from a context is replayed from it', async () => {
  const { file, replay, url } = await setup()
  const first = await connectStream({ url })
  await first.send({ data: Uint8Array.of(9), codec: 'jpeg' })
  const context = await first.checkpoint()
  await first.close()
  await recorded(url, file, (relay) => streamSome({ url: relay, context }))
  expect(await replay()).toMatchObject({ ...same, equal: 20 })
})

test('a frame that ends the stream ends it again', async () => {
  const { file, replay, url } = await setup()
  await recorded(url, file, async (relay) => {
    const client = await connect(relay.replace('ws', 'http'))
    client.send({ type: 'config' })
    await client.expect('ready')
    client.send(Uint8Array.of(1, 2, 3))
    expect(await client.expect('error')).toMatchObject({ code: 'FRAME_MALFORMED' })
    expect((await client.closed).code).toBe(4590)
  })
  const { entries } = await readRecording(file)
  expect(sessionsOf(entries)[0]?.endedBy).toBe('FRAME_MALFORMED')
  expect(await replay()).toMatchObject(same)
})

test('what a server refuses through a relay is what it refuses without one', async () => {
  const { file, url } = await setup()
  const write = await RecordingFile.create(file)
  const relay = await startRelay({ url, port: 0, file: write })
  const credentials = () => ({ headers: { origin: 'https://elsewhere.example' } })
  await expect(connectStream({ url: relay.url, credentials })).rejects.toMatchObject({
    code: 'ORIGIN_FORBIDDEN'
  })
  await relay.close()
  await relay.close()
  const nobody = await startRelay({ url: `ws://127.0.0.1:${await freePort()}`, port: 0, file: write })
  await expect(connectStream({ url: nobody.url })).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  await nobody.close()
  await write.close()
})

test('what is no recording, or one of another version, or cannot be written, is named', async () => {
  const { file, replay } = await setup()
  await expect(replay()).rejects.toMatchObject({
    code: 'DATA_INVALID',
    message: expect.stringContaining(file) as string
  })
  await writeFile(file, 'hello\n')
  await expect(replay()).rejects.toMatchObject({ message: expect.stringMatching(/no recording/) as string })
  await writeFile(file, '')
  await expect(replay()).rejects.toMatchObject({ message: expect.stringMatching(/empty/) as string })
  await writeFile(file, '{"leadlineRecording":7,"program":"9","at":"later"}\n')
  await expect(replay()).rejects.toMatchObject({ message: expect.stringMatching(/version 7/) as string })
  await expect(RecordingFile.create(path.join(file, 'b'))).rejects.toMatchObject({ code: 'STORAGE_UNUSABLE' })
})
