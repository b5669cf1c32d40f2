import type { Redis } from 'ioredis'

/** How ioredis begins to say that an answer is overdue. */
const silence = 'Socket timeout'

/**
 * What came while this process was busy, or had no processor, is read before its connection counts as silent: the timer of
 * ioredis is over first, and knows nothing of what lies in the socket. So it is with connections that are made from this one.
 */
export function withPatientSocket(redis: Redis): Redis {
  redis.on('connect', () => listenBeforeSilence(redis.stream))
  const duplicate = redis.duplicate.bind(redis)
  redis.duplicate = (override) => withPatientSocket(duplicate(override))
  return redis
}

function listenBeforeSilence(stream: Redis['stream']): void {
  const destroy = stream.destroy.bind(stream)
  stream.destroy = (error) => {
    if (error?.message.startsWith(silence) !== true) return destroy(error)
    const { bytesRead } = stream
    // After the sockets were looked at.
    setImmediate(() => {
      if (stream.bytesRead === bytesRead) destroy(error)
    })
    return stream
  }
}
