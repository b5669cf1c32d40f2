import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { RedisKeyStore } from '../../src/access/redis/redis-key-store.ts'
import { connectStream, fetchTicket } from '../../src/client/index.ts'
import { RedisConnections, RedisKeys } from '../../src/sessions/index.ts'
import { mp4, temporaryFolder } from '../helpers/clip-files.ts'
import { eventually } from '../helpers/eventually.ts'
import { addKey } from '../helpers/keys.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { startRedis } from '../helpers/redis.ts'
import { startLeadline, startListening } from './leadline-process.ts'

const password = 'planted-password-of-redis'
/** In the pixels of every frame. */
const planted = 'planted-in-the-picture-'
/** Of this machine as well, and no other part of it has it. */
const clientAddress = '127.83.61.47'

test(
  'the logs of a busy run, of every level, have no secret, no frame and no address',
  { timeout: 300_000 },
  async () => {
    const redis = await startRedis(['--requirepass', password])
    onTestFinished(() => redis.stop())
    const redisUrl = redis.url.replace('//', `//:${password}@`)
    const connections = await RedisConnections.open(redisUrl, quietLog())
    const store = new RedisKeyStore(connections, new RedisKeys('leadline'))
    onTestFinished(() => store.close())
    const [mine, other] = [await addKey(store, { name: 'camera of the log' }), await addKey(store)]
    const folder = await temporaryFolder()
    const env = {
      ...{ REDIS_URL: redisUrl, LEADLINE_DATA_DIR: folder, LEADLINE_AUTH: 'keys' },
      ...{
        LEADLINE_LOG_LEVEL: 'trace',
        LEADLINE_KEY_PREFIX: 'leadline',
        LEADLINE_WEBHOOK_NETWORKS: '127.0.0.0/8'
      }
    }
    const startWorker = async () => {
      const worker = startLeadline(['worker'], env)
      await worker.printed(/serving: /)
      return worker
    }
    const [gateway, worker] = await Promise.all([startListening(['gateway'], env), startWorker()])
    const { url } = gateway
    const headers = mine.headers
    const secrets = [password, planted, clientAddress, mine.value, other.value]

    const shown = async () => {
      const ticket = await fetchTicket({ url, key: mine.value })
      secrets.push(ticket)
      return { ticket }
    }
    const stream = await connectStream({ url, credentials: shown, config: { delivery: 'lossless' } })
    let results = 0
    const reading = (async () => {
      for await (const _ of stream.results) results += 1
    })()
    const pixels = Buffer.alloc(3 * 28 * 28, planted)
    const send = async () => stream.send({ data: pixels, codec: 'rgb24', width: 28, height: 28 })
    for (let i = 0; i < 5; i++) await send()
    await eventually(() => results).toBe(5)
    const next = await startWorker()
    worker.child.kill('SIGKILL')
    await worker.exited
    for (let i = 0; i < 5; i++) await send()
    await eventually(() => results).toBe(10)

    const secret = await fetch(`${url}/v1/webhooks/secret`, { method: 'POST', headers })
    secrets.push(((await secret.json()) as { secret: string }).secret.replace('whsec_', ''))
    const hook = 'http://user:planted-password@127.0.0.1:1/planted-path?planted-query'
    const video = new Uint8Array(await mp4({ frames: 3, width: 84, height: 56 }))
    const clip = await fetch(
      `${url}/v1/clips?results=npz&webhook=${encodeURIComponent(hook.replace(/\/\/.*@/, '//'))}`,
      {
        ...{ method: 'POST', body: video, headers: { ...headers, 'content-type': 'video/mp4' } }
      }
    )
    expect(clip.status).toBe(202)
    secrets.push('planted-password', 'planted-path', 'planted-query')
    for (const path of [`/v1/models?key=${other.value}`, `/${mine.value}`, `/v1/clips/${mine.value}`])
      await fetch(`${url}${path}`, { headers })
    await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer planted-that-is-no-key' } })
    secrets.push('planted-that-is-no-key')
    await speak(url, 'NONSENSE planted-as-a-request\r\n\r\n')
    await speak(
      url,
      `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${mine.value}\r\n\r\n`
    )
    secrets.push('planted-as-a-request')
    await stream.close()
    await reading
    await store.revoke(mine.key.id, Date.now())
    for (const service of [gateway, next]) service.child.kill('SIGTERM')
    await Promise.all([gateway.exited, next.exited])

    const logs = [gateway, worker, next].map(({ stdout, stderr }) => stdout + stderr)
    expect(secrets.length).toBeGreaterThan(10)
    for (const log of logs) {
      expect(log.length).toBeGreaterThan(500)
      // Of a key the id is no secret.
      for (const one of secrets) expect(log).not.toContain(one.replace(/^lk_[0-9a-f]+_/, '').slice(0, 40))
      expect(log).not.toMatch(new RegExp(Buffer.from(planted).toString('base64').slice(0, 20)))
      expect(log).not.toMatch(/remoteAddress|sec-websocket-protocol/i)
    }
    const lines = gateway.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const opened = lines.find(({ msg }) => msg === 'session opened')
    expect(opened).toMatchObject({
      reqId: expect.any(String),
      key: 'camera of the log',
      session: expect.any(String)
    })
  }
)

/** Whatever a socket of this address is told is not looked at. */
async function speak(url: string, text: string): Promise<void> {
  const { hostname: host, port } = new URL(url)
  const socket = connectSocket({ host, port: Number(port), localAddress: clientAddress })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(text)
  await once(socket, 'data')
  socket.destroy()
}
