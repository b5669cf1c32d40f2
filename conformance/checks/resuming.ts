import type { Bench, Opened } from '../bench.ts'
import type { Check } from '../check.ts'
import { equal, holds, sameDepth, skip } from '../check.ts'
import type { Depth } from '../peer.ts'
import { describe, inShort } from '../peer.ts'
import { picture, pixels } from '../pictures.ts'
import { digestOf } from './flow.ts'

/** A session that was sent so many frames, and has their depth maps. */
async function openedWith(bench: Bench, count: number): Promise<{ opened: Opened; depths: Depth[] }> {
  const opened = await bench.openKept()
  const depths: Depth[] = []
  for (let seq = 0; seq < count; seq++) {
    opened.send(picture(seq))
    depths.push(await opened.depth())
  }
  return { opened, depths }
}

const frames = (count: number) => Array.from({ length: count }, (_, seq) => ({ seq, payload: pixels(seq) }))

/** Sessions that outlive their socket. */
export const resuming: Check[] = [
  {
    clause: 'R1',
    says: 'a session is taken up by name and token, and by no other token',
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      opened.cut()
      const { answer } = await bench.comeBack(opened, { seq: 0, token: 'x'.repeat(32) })
      equal(inShort([answer]), ['error SESSION_UNKNOWN'], 'the answer to a wrong token')
      const { ready } = await bench.resume(opened, { seq: 0 })
      equal(ready.resumed?.continuity, 'exact', 'the continuity')
    }
  },
  {
    clause: 'R1',
    says: 'the token before the newest holds until the first message after ready, and no longer',
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      opened.cut()
      const second = await bench.resume(opened, { seq: 0 })
      second.cut()
      const third = await bench.resume(opened, { seq: 0 })
      third.send({ type: 'flush' })
      await third.expect('flushed')
      third.cut()
      const { answer } = await bench.comeBack(opened, { seq: 0 })
      equal(inShort([answer]), ['error SESSION_UNKNOWN'], 'the answer to the token of the first ready')
    }
  },
  {
    clause: 'R2',
    says: 'ready says what the servers have, outcomes above seq come, and frames above after are wanted',
    async try(bench) {
      const { opened, depths } = await openedWith(bench, 3)
      opened.cut()
      const back = await bench.resume(opened, { seq: 0 })
      const { after, continuity, digest, seq } = back.ready.resumed ?? {}
      equal({ after, continuity, seq }, { after: 2, continuity: 'exact', seq: 2 }, 'resumed')
      if (back.ready.mode !== 'single') equal(digest, digestOf(frames(3)), 'the digest')
      back.send(picture(3))
      const again = await back.outcomes(3)
      equal(inShort(again), ['depth 1', 'depth 2', 'depth 3'], 'the outcomes')
      for (const [i, depth] of depths.slice(1).entries())
        sameDepth(again[i] as Depth, depth, `depth map ${i + 1}, told again`)
    }
  },
  {
    clause: 'M14',
    says: 'what was acknowledged is not told again, whatever the client says it has',
    async try(bench) {
      const { opened } = await openedWith(bench, 3)
      opened.send({ type: 'ack', seq: 1 })
      opened.send({ type: 'flush' })
      await opened.expect('flushed')
      opened.cut()
      const back = await bench.resume(opened, { seq: 1 })
      back.send({ type: 'flush' })
      const all = (await back.until('flushed')).filter(({ type }) => type === 'depth')
      equal(inShort(all), ['depth 2'], 'what was told again')
    }
  },
  {
    clause: 'R3',
    says: 'the newest socket wins, and the older one is closed with SESSION_REPLACED',
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      const back = await bench.resume(opened, { seq: 0 })
      await opened.endsWith('SESSION_REPLACED')
      back.send(picture(1))
      await back.depth()
    }
  },
  {
    clause: 'M26',
    says: 'detach keeps a resumable session for graceMs, and closes with 1000',
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      opened.send({ type: 'detach' })
      equal((await opened.expect('detached')).graceMs, opened.ready.limits.graceMs, 'graceMs')
      equal((await opened.closed()).code, 1000, 'the close code')
      const { ready } = await bench.resume(opened, { seq: 0 })
      equal(ready.resumed?.continuity, 'exact', 'the continuity')
      const other = await bench.open()
      other.send({ type: 'detach' })
      equal((await other.expect('detached')).graceMs, 0, 'graceMs of a session that is not resumable')
    }
  },
  {
    clause: 'X10',
    says: 'a socket is lost: what was made meanwhile comes, and depth is as if nothing had happened',
    async try(bench) {
      const { opened } = await openedWith(bench, 2)
      opened.send(picture(2))
      opened.send({ type: 'ping' })
      while ((await opened.next()).type !== 'pong');
      opened.cut()
      const back = await bench.resume(opened, { seq: 1 })
      equal(back.ready.resumed?.after, 2, 'after')
      back.send(picture(3))
      const found = await back.outcomes(2)
      equal(inShort(found), ['depth 2', 'depth 3'], 'the outcomes')
      const { depths } = await openedWith(bench, 4)
      for (const [i, depth] of depths.slice(2).entries())
        sameDepth(found[i] as Depth, depth, `depth map ${i + 2}, without a loss`)
    }
  },
  {
    clause: 'X15',
    says: 'a resume crosses a result: the depth map comes again, and once',
    async try(bench) {
      const { opened } = await openedWith(bench, 2)
      const back = await bench.resume(opened, { seq: 0 })
      back.send({ type: 'flush' })
      equal(inShort(await back.until('flushed')), ['depth 1', 'flushed 1'], 'what came over the new socket')
    }
  },
  {
    clause: 'X16',
    says: 'two resumes at once: the later one has the session, and the token of the earlier is of no use',
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      opened.cut()
      const tried = await Promise.all([1, 2].map(() => bench.comeBack(opened, { seq: 0 })))
      for (const { answer } of tried)
        holds(['ready', 'error'].includes(answer.type), `the answer to a resume: ${describe(answer)}`)
      const letIn = tried.filter(({ answer }) => answer.type === 'ready')
      holds(letIn.length > 0, 'neither was let in')
      const alive: typeof letIn = []
      for (const one of letIn) {
        one.peer.send({ type: 'flush' })
        const answer = await one.peer.next()
        if (answer.type === 'flushed') alive.push(one)
        else equal(inShort([answer]), ['error SESSION_REPLACED'], 'what the earlier socket got')
      }
      equal(alive.length, 1, 'sockets that have the session')
    }
  },
  {
    clause: 'X17',
    says: 'ready is lost with its socket: the token before it still holds',
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      opened.cut()
      const lost = await bench.resume(opened, { seq: 0 })
      lost.cut()
      const { ready } = await bench.resume(opened, { seq: 0 })
      const tokens = new Set([opened, lost].map((one) => one.ready.resumeToken).concat(ready.resumeToken))
      equal(tokens.size, 3, 'tokens')
    }
  },
  {
    clause: 'X20',
    says: 'resume finds the old socket alive, and nobody waits for it',
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      // It reads no more, and answers nothing: as a network that went away.
      opened.ws.pause()
      const back = await bench.resume(opened, { seq: 0 })
      back.send(picture(1))
      await back.depth()
    }
  },
  {
    clause: 'X21',
    says: 'close crosses a lost socket: the session is freed as asked',
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      opened.send({ type: 'ack', seq: 0 })
      opened.send({ type: 'close' })
      await opened.expect('summary')
      const { answer } = await bench.comeBack(opened, { seq: 0 })
      equal(inShort([answer]), ['error SESSION_UNKNOWN'], 'the answer to a resume')
    }
  },
  {
    clause: 'X22',
    says: 'detach crosses outcomes: one that was not read comes again',
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      opened.send(picture(1))
      opened.send({ type: 'detach' })
      await opened.rest()
      const back = await bench.resume(opened, { seq: 0 })
      equal(inShort(await back.outcomes(1)), ['depth 1'], 'the outcome')
    }
  },
  {
    clause: 'X13',
    says: 'a session whose client is silent may be parked, and its next frame brings it back',
    isSlow: true,
    async try(bench) {
      const { opened } = await openedWith(bench, 1)
      const idle = opened.ready.limits.idleTimeoutMs
      const beat = setInterval(() => opened.send({ type: 'ping' }), idle / 4)
      try {
        let message = await opened.next()
        while (message.type === 'pong') message = await opened.next()
        if (message.type !== 'notice') skip(`no session was parked; ${describe(message)} came`)
      } finally {
        clearInterval(beat)
      }
      let parked = await opened.next()
      while (parked.type === 'pong') parked = await opened.next()
      equal(parked.type, 'parked', 'what followed the notice')
      opened.send(picture(1))
      let back = await opened.next()
      while (back.type === 'pong') back = await opened.next()
      equal(inShort([back]), ['recovered 1'], 'what came before the outcome')
      await opened.outcomes(1)
    }
  }
]
