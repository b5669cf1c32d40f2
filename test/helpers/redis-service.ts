import { expect, onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import type { Config } from '../../src/config.ts'
import type { ValidFrame } from '../../src/wire/frame.ts'
import { redisGateway, redisWorker } from '../../src/sessions/index.ts'
import type { SessionHandle, Sessions, WorkerHandle } from '../../src/sessions/index.ts'
import { EventLog } from './event-log.ts'
import { eventually } from './eventually.ts'
import { expectedChain, HashEngine, hashOptions, resultPayload, testFrame } from './hash-engine.ts'
import { quietLog } from './quiet-log.ts'
import { randomPrefix } from './redis.ts'
import { readLeftovers } from './redis-leftovers.ts'

export function redisConfig(redisUrl: string, keyPrefix = randomPrefix()): Config {
  return loadConfig({
    REDIS_URL: redisUrl,
    LEADLINE_KEY_PREFIX: keyPrefix,
    LEADLINE_MODEL: 'hash',
    LEADLINE_LAME_DUCK_MS: '0'
  })
}

/** Closed when the test ends. */
export async function startGateway(config: Config): Promise<Sessions> {
  const gateway = await redisGateway(config, quietLog())
  onTestFinished(() => gateway.close())
  return gateway
}

/** Closed when the test ends. */
export async function startWorker(
  config: Config,
  engine = new HashEngine()
): Promise<WorkerHandle & { engine: HashEngine }> {
  const worker = await redisWorker(config, engine, { log: quietLog() })
  onTestFinished(() => worker.close())
  return { ...worker, engine }
}

/** A session to which frames are sent without a pause. */
export interface Stream {
  readonly log: EventLog
  readonly handle: SessionHandle
  /** Until this many more frames have come back as depth. */
  advance(frames: number): Promise<void>
  /** Send no more, and hold what came against the chain of everything that was sent. */
  finish(): Promise<void>
}

const frameGapMs = 20

export async function openStream(gateway: Sessions): Promise<Stream> {
  const log = new EventLog()
  const handle = await gateway.open(hashOptions, log.push)
  const frames: ValidFrame[] = []
  const timer = setInterval(() => {
    // As a client with credit does.
    if (frames.length - log.all.length >= handle.opened.maxInFlight) return
    const frame = testFrame(frames.length, Buffer.from(`${handle.id}:${frames.length}`))
    frames.push(frame)
    handle.submit(frame)
  }, frameGapMs)
  onTestFinished(() => clearInterval(timer))
  return {
    ...{ log, handle },
    advance: async (count) => {
      const wanted = log.results().length + count
      await log.until((events) => isOver(log) || events.filter((e) => e.type === 'result').length >= wanted)
      expect(log.all.filter((event) => event.type !== 'result')).toEqual([])
    },
    finish: async () => {
      clearInterval(timer)
      handle.flush('end')
      await log.until((events) => isOver(log) || events.some((event) => event.type === 'flushed'))
      expect(log.results().map((result) => resultPayload(result.message))).toEqual(expectedChain(frames))
      expect(log.all.length).toBe(frames.length + 1)
      await handle.close()
    }
  }
}

function isOver(log: EventLog): boolean {
  return log.all.some((event) => event.type === 'error' && event.seq === null)
}

/** No key without a life, no bytes counted that no session has. */
export async function expectNothingLeft(url: string, { keyPrefix }: Config): Promise<void> {
  await eventually(() => readLeftovers(url, keyPrefix)).toMatchObject({ immortal: [], unaccounted: {} })
}
