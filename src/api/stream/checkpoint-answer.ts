import { contextParts } from '../../wire/context-parts.ts'
import type { CheckpointEvent } from '../../session.ts'

/** How a client is told of its checkpoint: the announcement, then the context in parts. */
export type CheckpointAnswer =
  | { type: 'checkpoint'; id: string; seq: number; bytes: number }
  | { type: 'context'; message: Uint8Array; isLast: boolean }
  | Extract<CheckpointEvent, { type: 'checkpointFailed' }>

export function checkpointAnswer(event: CheckpointEvent, maxMessageBytes: number): CheckpointAnswer[] {
  if (event.type === 'checkpointFailed') return [event]
  const { type, id, seq, saved } = event
  const parts = contextParts(saved, maxMessageBytes)
  return [
    { type, id, seq, bytes: saved.byteLength },
    ...parts.map((message, at) => ({
      type: 'context' as const,
      message,
      isLast: at === parts.length - 1
    }))
  ]
}

/** Whether nothing of it follows. */
export function endsCheckpoint(answer: { type: string; isLast?: boolean }): boolean {
  return answer.type === 'checkpointFailed' || (answer.type === 'context' && answer.isLast === true)
}
