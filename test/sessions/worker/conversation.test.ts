import { expect, test } from 'vitest'
import { encodeMessage } from '../../../src/wire/frame.ts'
import type { SessionEvent } from '../../../src/session.ts'
import type { OpenPast, WorkerEvent, WorkerLink } from '../../../src/sessions/link.ts'
import { Conversation } from '../../../src/sessions/worker/conversation.ts'
import { Voice } from '../../../src/sessions/worker/voice.ts'
import { hashAccount, testFrame } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'

/** On one worker. `past`: it was on another before. */
function conversation(past?: OpenPast) {
  const said: WorkerEvent[] = []
  const link = { emit: (_id: string, _token: number, event: WorkerEvent) => void said.push(event) }
  const voice = new Voice({ sessionId: 's', token: 1, link: link as WorkerLink })
  const keptBytes = { maxBytes: 1000, bytes: 0 }
  const told = new Conversation({ sessionId: 's', workerId: 'w', voice, keptBytes, log: quietLog() })
  told.begin({ account: hashAccount, resumable: false, ...(past && { past }) })
  return { told, said }
}

const frame = (seq: number) => testFrame(seq, Buffer.from(`frame ${seq}`))
const result = (seq: number): SessionEvent => ({
  ...{ type: 'result', seq },
  message: encodeMessage(frame(seq).header, Buffer.from('depth'))
})

test('a gateway that heard too little of a session that nobody can resume hears what became of its past', () => {
  const context = {
    ...{ epoch: 4, framesSeen: 1, digest: null, frames: [], seam: null, latents: null, notes: null }
  }
  const words = [
    { type: 'recovered', seq: 4, epoch: 2, continuity: 'rebuilt' },
    { type: 'recovered', seq: 5, epoch: 3, continuity: 'new' },
    { type: 'reset', seq: 6, epoch: 4, reason: 'sceneCut' }
  ] as const
  const first = conversation()
  for (const word of words) {
    first.told.accept({ frame: frame(word.seq) })
    first.told.tell(word)
    first.told.tell(result(word.seq))
  }
  const second = conversation({ context, ...first.told.handOn(6) })
  // It moves once more before its gateway comes.
  const third = conversation({ context, ...second.told.handOn(6) })
  third.told.join({ type: 'join', afterSeq: 4, settled: [] })
  const isRun = [5, 6, 7].map((seq) => third.told.accept({ frame: frame(seq) }))
  expect(isRun).toEqual([false, false, true])
  expect(third.said).toMatchObject([
    words[1],
    { type: 'error', seq: 5, code: 'WORKER_LOST' },
    words[2],
    { type: 'error', seq: 6, code: 'WORKER_LOST' }
  ])
  for (const afterSeq of [null, 6]) {
    const other = conversation({ context, ...first.told.handOn(6) })
    other.told.join({ type: 'join', afterSeq, settled: [] })
    expect(other.told.accept({ frame: frame(7) })).toBe(true)
    expect(other.said).toEqual([])
  }
})
