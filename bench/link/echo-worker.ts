/** The worker of either carrier, in a process of its own: `turn` or `job`, then the URL of Redis. Answers "cpu". */
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { loadConfig } from '../../src/config.ts'
import { noPace } from '../../src/engine-pace.ts'
import type { FrameEngine } from '../../src/frame-engine.ts'
import type { SessionEvent } from '../../src/session.ts'
import { redisWorker } from '../../src/sessions/index.ts'
import { frameKey, queueName, resultChannel, resultHeadBytes } from './job-carrier.ts'
import { messageBytes, result, silent } from './payload.ts'

const [form, redisUrl = ''] = process.argv.slice(2)
if (form === 'turn') await serveTurns()
else await serveJobs()
process.on('message', () => process.send?.(process.cpuUsage()))
process.on('disconnect', () => process.exit())
process.send?.('ready')

/** Answers every frame at once, so that only the link takes time. */
function echoEngine(): FrameEngine {
  const emits = new Map<string, (event: SessionEvent) => void>()
  const model = {
    ...{ name: 'echo', title: 'Echo', license: 'Apache-2.0', nonCommercial: false, digest: '0'.repeat(64) },
    quantity: 'relative-inverse-depth' as const,
    temporal: { modes: ['ovda' as const], cacheSizes: [8], defaultCacheSize: 8, attendSelf: false },
    resolution: { multiple: 14, lowerBound: 14, maxArea: 196 },
    sessionBytes: { ovda: 1 }
  }
  const context = {
    epoch: 0,
    framesSeen: 0,
    digest: null,
    frames: [],
    seam: null,
    latents: null,
    notes: null
  }
  return {
    offer: { models: [model], capacityBytes: 1_000_000, device: 'none' },
    pace: noPace,
    open: async (id, { mode }, emit) => {
      emits.set(id, emit)
      const settled = { model: 'echo', modelDigest: model.digest, mode, cacheSize: 8 }
      const replay = { keepsFirst: false, recent: 21 }
      return { ...settled, epoch: 0, continuity: null, replay, maxInFlight: 1000, bytes: 1 }
    },
    submit: (id, { header }) => emits.get(id)?.({ type: 'result', seq: header.seq, message: result }),
    flush: () => {},
    reset: () => {},
    update: () => {},
    context: async () => context,
    halt: async () => ({ context, goOn: () => {} }),
    whole: async () => null,
    position: () => null,
    park: async () => 0,
    close: async (id) => void emits.delete(id)
  }
}

async function serveTurns(): Promise<void> {
  await redisWorker(loadConfig({ REDIS_URL: redisUrl }), echoEngine(), { log: silent })
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
