import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import type { Carrier } from './carrier.ts'
import { frame } from './payload.ts'

export const queueName = 'frames'
export const resultChannel = 'results'
export const resultHeadBytes = 8

/** Where a frame lies until its job fetches it. */
export function frameKey(session: number, seq: number): string {
  return `frame:${session}:${seq}`
}

/**
 * What one would write first: a BullMQ job per frame. Only ids in the job, the bytes in a key of their own, results by
 * PUBLISH instead of QueueEvents. The job is queued when its frame is stored; `inOneGo` does not wait for that, which
 * is faster, and queues jobs whose frame was refused.
 */
export async function jobCarrier(redisUrl: string, inOneGo = false): Promise<Carrier> {
  const commands = new Redis(redisUrl, { maxRetriesPerRequest: null })
  const subscriber = new Redis(redisUrl)
  const queue = new Queue(queueName, { connection: commands })
  await queue.waitUntilReady()
  await subscriber.subscribe(resultChannel)
  let deliver: (session: number, seq: number) => void = () => {}
  subscriber.on('messageBuffer', (_: Buffer, message: Buffer) => {
    deliver(message.readUInt32LE(0), message.readUInt32LE(4))
  })
  const kept = { removeOnComplete: { count: 100 }, removeOnFail: { count: 100 } }
  const send = async (session: number, seq: number): Promise<void> => {
    const stored = commands.set(frameKey(session, seq), frame(seq).message as Buffer, 'PX', 90_000)
    if (!inOneGo) await stored
    await queue.add('frame', { session, seq }, kept)
  }
  return {
    open: async (_, onResult) => {
      deliver = onResult
    },
    send: (session, seq) => void send(session, seq),
    close: async () => {
      await queue.close()
      commands.disconnect()
      subscriber.disconnect()
    }
  }
}
