import type { Keys } from './keys.ts'
import { encodeNote } from './inbox-message.ts'
import type { WorkerNote } from '../link.ts'
import { mailboxLimits } from './mailbox-writer.ts'
import { patiently } from './patiently.ts'
import type { RedisConnections } from './redis-connections.ts'

/** Put a note into a worker's inbox; what brings a session along waits behind frames, and nothing waits behind it but those. */
export async function tellWorker(
  { redis, keys }: { redis: RedisConnections; keys: Keys },
  workerId: string,
  note: WorkerNote
): Promise<void> {
  const { head, body } = encodeNote(note)
  const scripts = note.type === 'moveIn' ? redis.frameScripts : redis.controlScripts
  const values = [mailboxLimits.ttlMs, head, body]
  await patiently(redis, () => scripts.run('appendMortal', [keys.inbox(workerId)], values))
}
