/** The worker of either carrier, in a process of its own: `turn` or `job`, then the URL of Redis. Answers "cpu". */
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { loadConfig } from '../../src/config.ts'
import { redisWorker } from '../../src/sessions/index.ts'
import { echoEngine } from './echo-engine.ts'
import { frameKey, queueName, resultChannel, resultHeadBytes } from './job-carrier.ts'
import { messageBytes, result, silent } from './payload.ts'

const [form, redisUrl = ''] = process.argv.slice(2)
if (form === 'turn') await serveTurns()
else await serveJobs()
process.on('message', () => process.send?.(process.cpuUsage()))
process.on('disconnect', () => process.exit())
process.send?.('ready')

async function serveTurns(): Promise<void> {
  await redisWorker(loadConfig({ REDIS_URL: redisUrl }), echoEngine(result), { log: silent })
}

async function serveJobs(): Promise<void> {
  const frames = new Redis(redisUrl)
  const answer = async ({ data }: { data: { session: number; seq: number } }): Promise<void> => {
    if ((await frames.getdelBuffer(frameKey(data.session, data.seq)))?.length !== messageBytes) {
      throw new Error(`frame ${data.session}/${data.seq} is missing`)
    }
    const head = Buffer.alloc(resultHeadBytes)
    head.writeUInt32LE(data.session, 0)
    head.writeUInt32LE(data.seq, 4)
    await frames.publish(resultChannel, Buffer.concat([head, result]))
  }
  const worker = new Worker(queueName, answer, {
    connection: new Redis(redisUrl, { maxRetriesPerRequest: null }),
    concurrency: 16
  })
  worker.on('failed', (_, error) => {
    throw error
  })
  await worker.waitUntilReady()
}
