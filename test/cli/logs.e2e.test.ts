import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FolderKeyStore } from '../../src/access/folder/folder-key-store.ts'
import type { KeyStore } from '../../src/access/index.ts'
import { RedisKeyStore } from '../../src/access/redis/redis-key-store.ts'
import { RedisConnections, RedisKeys } from '../../src/sessions/index.ts'
import { temporaryFolder } from '../helpers/clip-files.ts'
import { addKey } from '../helpers/keys.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { startRedis } from '../helpers/redis.ts'
import type { LeadlineProcess } from './leadline-process.ts'
import { startLeadline, startListening } from './leadline-process.ts'
import { plantedPixels, plantedRun, settingsOfRun } from './planted-run.ts'

const password = 'planted-password-of-redis'
const keyName = 'camera of the log'
const timeout = 300_000

async function planted(service: { url: string; keys: KeyStore; disturb: () => Promise<void> }) {
  const { keys } = service
  const [mine, other] = [await addKey(keys, { name: keyName }), await addKey(keys)]
  const secrets = await plantedRun({ ...service, mine, other })
  await keys.revoke(mine.key.id, Date.now())
  return secrets
}

async function stop(services: readonly LeadlineProcess[]): Promise<void> {
  for (const { child } of services) child.kill('SIGTERM')
  await Promise.all(services.map(({ exited }) => exited))
}

function expectSilence(services: readonly LeadlineProcess[], secrets: readonly string[]): void {
  expect(secrets.length).toBeGreaterThan(20)
  for (const { stdout, stderr } of services) {
    const log = stdout + stderr
    expect(log.length).toBeGreaterThan(500)
    // Of a key the id is no secret.
    for (const one of secrets) expect(log).not.toContain(one.replace(/^lk_[0-9a-f]+_/, '').slice(0, 40))
    expect(log).not.toMatch(new RegExp(Buffer.from(plantedPixels).toString('base64').slice(0, 20)))
    expect(log).not.toMatch(/remoteAddress|sec-websocket-protocol/i)
  }
}

/** That the lines are there in which something could have stood. */
function expectTold({ stderr }: LeadlineProcess): void {
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const ofSession = { reqId: expect.any(String), key: keyName, session: expect.any(String) }
  for (const line of [
    { ...ofSession, msg: 'session opened' },
    { ...ofSession, msg: 'session resumed' },
    { msg: 'a webhook is given up', host: expect.stringMatching(/^127\.0\.0\.1:\d+$/), tries: 1 },
    { key: keyName, msg: 'request completed', res: { statusCode: 202 } },
    { key: keyName, msg: 'request completed', res: { statusCode: 409 } },
    { msg: 'request completed', res: { statusCode: 401 } }
  ])
    expect(lines).toContainEqual(expect.objectContaining(line))
}

test(
  'the logs of a busy gateway and its workers have no secret, no frame and no address',
  { timeout },
  async () => {
    const redis = await startRedis(['--requirepass', password])
    onTestFinished(() => redis.stop())
    const redisUrl = redis.url.replace('//', `//:${password}@`)
    const connections = await RedisConnections.open(redisUrl, quietLog())
    const keys = new RedisKeyStore(connections, new RedisKeys('leadline'))
    onTestFinished(() => keys.close())
    const env = {
      ...settingsOfRun,
      ...{ REDIS_URL: redisUrl, LEADLINE_KEY_PREFIX: 'leadline', LEADLINE_DATA_DIR: await temporaryFolder() }
    }
    const startWorker = async () => {
      const worker = startLeadline(['worker'], env)
      await worker.printed(/serving: /)
      return worker
    }
    const [gateway, worker] = await Promise.all([startListening(['gateway'], env), startWorker()])
    const services: LeadlineProcess[] = [gateway, worker]
    const disturb = async () => {
      services.push(await startWorker())
      worker.child.kill('SIGKILL')
      await worker.exited
    }
    const secrets = await planted({ url: gateway.url, keys, disturb })
    await stop(services)
    expectSilence(services, [...secrets, password])
    expectTold(gateway)
  }
)

test('nor has the log of a busy server', { timeout }, async () => {
  const dataDir = await temporaryFolder()
  const server = await startListening(['serve'], { ...settingsOfRun, LEADLINE_DATA_DIR: dataDir })
  const keys = new FolderKeyStore(path.join(dataDir, 'keys'))
  const secrets = await planted({ url: server.url, keys, disturb: async () => {} })
  await stop([server])
  expectSilence([server], secrets)
  expectTold(server)
})

test('a bucket that refuses what it is asked is told without its secret, and without what it was shown', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const shown: string[] = []
  const bucket = http.createServer((request, response) => {
    const { authorization = '' } = request.headers
    shown.push(authorization)
    // The bucket is there, which is asked first; as S3 does, a refusal cites what was shown.
    if (request.method === 'HEAD') return void response.end()
    response
      .writeHead(403)
      .end(`<Error><Code>SignatureDoesNotMatch</Code><Sent>${authorization}</Sent></Error>`)
  })
  await new Promise<void>((resolve) => bucket.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    bucket.closeAllConnections()
    bucket.close()
  })
  const secret = 'planted-secret-of-the-bucket'
  const gateway = startLeadline(['gateway'], {
    ...{
      LEADLINE_LOG_LEVEL: 'trace',
      LEADLINE_PORT: '0',
      LEADLINE_DATA_DIR: await temporaryFolder(),
      REDIS_URL: redis.url
    },
    LEADLINE_BUCKET_URL: `http://127.0.0.1:${(bucket.address() as AddressInfo).port}/clips`,
    ...{ LEADLINE_BUCKET_ACCESS_KEY: 'name-of-the-key', LEADLINE_BUCKET_SECRET_KEY: secret }
  })
  expect(await gateway.exited).toBe(1)
  expect(gateway.stderr).toContain('S3 returned 403')
  const signatures = shown.map((line) => /Signature=(\w+)/.exec(line)?.[1] ?? '')
  expect(signatures[0]).toMatch(/^[0-9a-f]{64}$/)
  for (const one of [secret, ...signatures]) expect(gateway.stderr).not.toContain(one)
})
