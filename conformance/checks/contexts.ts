import type { Bench, Opened } from '../bench.ts'
import type { Check } from '../check.ts'
import { equal, holds, sameDepth, skip } from '../check.ts'
import type { Depth, Message } from '../peer.ts'
import { describe, inShort, isOutcome } from '../peer.ts'
import { picture } from '../pictures.ts'
import { encode, kinds } from '../wire.ts'

const partBytes = 2 ** 18

interface Saved {
  context: Uint8Array
  /** What came meanwhile. */
  between: Message[]
}

/** Say `checkpoint`, and take in the context that follows. */
async function save(peer: Opened, id: string): Promise<Saved> {
  peer.send({ type: 'checkpoint', id })
  const between: Message[] = []
  let answer = await peer.next()
  for (; answer.type !== 'checkpoint'; answer = await peer.next()) between.push(answer)
  const failure = answer.failure as { code?: string } | undefined
  if (failure !== undefined) skip(`the server saves no sessions of this size: ${failure.code}`)
  const bytes = Number(answer.bytes)
  const context = new Uint8Array(bytes)
  for (let at = 0; at < bytes;) {
    const part = (await peer.next()) as Depth
    if (part.kind !== kinds.context) between.push(part)
    else {
      equal(part.seq, at, 'the offset of a part')
      holds(part.payload.byteLength <= partBytes, `a part has ${part.payload.byteLength} bytes`)
      context.set(part.payload, at)
      at += part.payload.byteLength
    }
  }
  return { context, between }
}

/** Begin a session with a context; gives the answer. */
async function begin(bench: Bench, context: Uint8Array, config: object = {}) {
  const peer = await bench.connect()
  peer.send({ type: 'config', delivery: 'lossless', context: { bytes: context.byteLength }, ...config })
  for (let at = 0; at < context.byteLength; at += partBytes)
    peer.send(
      encode({ kind: kinds.context, seq: at, codec: 0, payload: context.subarray(at, at + partBytes) }),
      {
        isFrame: false
      }
    )
  return { peer, answer: await peer.next() }
}

async function saved(bench: Bench): Promise<{ first: Opened } & Saved> {
  const first = await bench.open({ delivery: 'lossless' })
  for (const seq of [0, 1]) first.send(picture(seq))
  return { first, ...(await save(first, 'a')) }
}

/** Sessions that are saved, and go on. */
export const contexts: Check[] = [
  {
    clause: 'M18',
    says: 'a checkpoint stands behind the outcomes of all frames before it, and the session goes on',
    async try(bench) {
      const { first, between } = await saved(bench)
      equal(inShort(between.filter(isOutcome)), ['depth 0', 'depth 1'], 'what came before the answer')
      first.send(picture(2))
      equal(inShort(await first.outcomes(1)), ['depth 2'], 'the next outcome')
    }
  },
  {
    clause: 'M18',
    says: 'a second checkpoint without an answer to the first ends the stream with FLOW_CONTROL',
    async try(bench) {
      const first = await bench.open({ delivery: 'lossless', credit: 0 })
      first.send(picture(0))
      for (const id of ['a', 'b']) first.send({ type: 'checkpoint', id })
      await first.endsWith('FLOW_CONTROL')
    }
  },
  {
    clause: 'M19',
    says: 'a context comes in parts of at most 256 KiB, in order, and is taken so',
    async try(bench) {
      const { context } = await saved(bench)
      const { answer } = await begin(bench, context)
      equal(answer.type, 'ready', 'the answer to a context')
    }
  },
  {
    clause: 'M20',
    says: 'a session goes on from a context as often as wished, numbered from behind it',
    async try(bench) {
      const { context, first } = await saved(bench)
      for (let time = 0; time < 2; time++) {
        const { peer, answer } = await begin(bench, context)
        holds(answer.type === 'ready', `"ready" was due, and this came: ${describe(answer)}`)
        const { continued, model, mode } = answer as unknown as Opened['ready']
        equal([model, mode], [first.ready.model, first.ready.mode], 'model and mode')
        equal(continued?.seq, 1, 'the seq of the checkpoint')
        peer.send(picture(2))
        await peer.outcomes(1)
      }
    }
  },
  {
    clause: 'M20',
    says: 'a context of another mode than asked for is CONTEXT_INVALID',
    async try(bench) {
      const { context, first } = await saved(bench)
      const mode = first.ready.mode === 'single' ? 'ovda' : 'single'
      const { answer } = await begin(bench, context, { mode })
      equal(inShort([answer]), ['error CONTEXT_INVALID'], 'the answer')
    }
  },
  {
    clause: 'M21',
    says: 'a context that was made up, damaged or cut off is CONTEXT_INVALID',
    async try(bench) {
      const { context } = await saved(bench)
      const damaged = context.slice()
      damaged[context.byteLength >> 1]! ^= 0xff
      for (const bad of [new Uint8Array(100), damaged, context.subarray(0, context.byteLength - 1)]) {
        const { answer } = await begin(bench, bad)
        equal(inShort([answer]), ['error CONTEXT_INVALID'], 'the answer')
      }
    }
  },
  {
    clause: 'M22',
    says: 'recovered precedes the first outcome of a session that goes on, with its continuity',
    async try(bench) {
      const { context, first } = await saved(bench)
      if (first.ready.mode === 'single') skip('the model has no latent cache')
      const { peer } = await begin(bench, context)
      peer.send(picture(2))
      const [recovered, depth] = await peer.take(2)
      equal(inShort([recovered!, depth!]), ['recovered 2', 'depth 2'], 'what came')
      equal(recovered?.epoch, (depth as Depth).epoch, 'the epoch')
    }
  },
  {
    clause: 'X5',
    says: 'a session is saved, and goes on twice: where that is exact, depth is the same',
    async try(bench) {
      const { context, first } = await saved(bench)
      const { peer, answer } = await begin(bench, context)
      holds(answer.type === 'ready', `"ready" was due, and this came: ${describe(answer)}`)
      const { continued } = answer as unknown as Opened['ready']
      if (continued?.continuity !== 'exact') skip(`it goes on as ${continued?.continuity}, and not exactly`)
      for (const one of [first, peer]) one.send(picture(2))
      const [one, other] = [await first.outcomes(1), await peer.outcomes(1)]
      sameDepth(other[0] as Depth, one[0] as Depth, 'depth map 2 of the second session')
    }
  },
  {
    clause: 'X6',
    says: 'a checkpoint whose socket was lost is asked for again, and answered',
    async try(bench) {
      const opened = await bench.openKept()
      opened.send(picture(0))
      opened.send({ type: 'checkpoint', id: 'a' })
      opened.send({ type: 'ping' })
      while ((await opened.next()).type !== 'pong');
      opened.cut()
      const back = await bench.resume(opened, { seq: -1 })
      const { context } = await save(back, 'a')
      holds(context.byteLength > 0, 'the context is empty')
    }
  }
]
