import { createHash } from 'node:crypto'
import type { Check } from '../check.ts'
import { equal, holds, skip } from '../check.ts'
import type { Depth, Message } from '../peer.ts'
import { inShort, isOutcome } from '../peer.ts'
import { picture, pixels } from '../pictures.ts'
import { codecs, dtypes, encode, flags } from '../wire.ts'

/** That of PROTOCOL.md, of frames with these payloads. */
export function digestOf(frames: readonly { seq: number; payload: Uint8Array }[]): string {
  let digest: Uint8Array = new Uint8Array(32)
  for (const { seq, payload } of frames) {
    const number = Buffer.alloc(8)
    number.writeBigUInt64LE(BigInt(seq))
    const ofPayload = createHash('sha256').update(payload).digest()
    digest = createHash('sha256').update(digest).update(number).update(ofPayload).digest()
  }
  return Buffer.from(digest).toString('hex').slice(0, 32)
}

function drops(messages: readonly Message[]): number[] {
  return messages.flatMap((message) => (message.type === 'drop' ? [Number(message.seq)] : []))
}

/** Who may send how much, and what is said between frames. */
export const flow: Check[] = [
  {
    clause: 'M10',
    says: 'a depth map takes one credit, and other outcomes none',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless', credit: 1 })
      const empty = encode({ seq: 0, codec: codecs.jpeg, payload: new Uint8Array(0) })
      for (const message of [empty, picture(1), picture(2)]) peer.send(message)
      equal(inShort(await peer.take(2)), ['error 0 FRAME_EMPTY', 'depth 1'], 'with one credit')
      peer.send({ type: 'ping' })
      await peer.expect('pong')
      peer.send({ type: 'credit', results: 1 })
      equal(inShort(await peer.take(1)), ['depth 2'], 'with one more')
    }
  },
  {
    clause: 'M11',
    says: 'with latest, a frame that another overtakes is dropped as superseded, and the newest never is',
    async try(bench) {
      const peer = await bench.open({ delivery: 'latest' })
      for (let seq = 0; seq < 60; seq++) peer.send(picture(seq))
      peer.send({ type: 'close' })
      const all = await peer.rest()
      for (const drop of all.filter(({ type }) => type === 'drop'))
        equal((drop as { reason?: string }).reason, 'superseded', 'the reason of a drop')
      equal(inShort(all.filter(isOutcome)).at(-1), 'depth 59', 'the last outcome')
      if (drops(all).length === 0) skip('the server is faster than frames can be sent to it')
    }
  },
  {
    clause: 'M13',
    says: 'credit lets so many depth maps more come, and where there is no limit does nothing',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless', credit: 0 })
      for (const seq of [0, 1]) peer.send(picture(seq))
      peer.send({ type: 'credit', results: 2 })
      equal(inShort(await peer.take(2)), ['depth 0', 'depth 1'], 'what came')
      const free = await bench.open({ delivery: 'lossless' })
      free.send({ type: 'credit', results: 1 })
      for (const seq of [0, 1]) free.send(picture(seq))
      equal(inShort(await free.take(2)), ['depth 0', 'depth 1'], 'what came without a limit')
    }
  },
  {
    clause: 'M15',
    says: 'flushed follows the outcome of every frame before the flush, with its id or an empty one',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      for (const seq of [0, 1]) peer.send(picture(seq))
      peer.send({ type: 'flush', id: 'x'.repeat(64) })
      peer.send({ type: 'flush' })
      const all = await peer.take(4)
      equal(inShort(all), ['depth 0', 'depth 1', 'flushed 1', 'flushed 1'], 'what came')
      equal(
        all.slice(2).map(({ id }) => id),
        ['x'.repeat(64), ''],
        'the ids'
      )
    }
  },
  {
    clause: 'M16',
    says: 'the state digest is the hash chain of what the latent cache has seen',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      if (peer.ready.mode === 'single') skip('the model has no latent cache')
      const seqs = [2, 3, 9]
      for (const seq of seqs) peer.send(picture(seq))
      peer.send({ type: 'flush' })
      const flushed = (await peer.until('flushed')).at(-1)
      const wanted = digestOf(seqs.map((seq) => ({ seq, payload: pixels(seq) })))
      equal([flushed?.seq, flushed?.epoch], [9, peer.ready.epoch], 'seq and epoch')
      equal(flushed?.digest, wanted, 'the digest')
    }
  },
  {
    clause: 'M17',
    says: 'a reset begins an epoch, which tells depth maps apart, and the digest begins anew',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      peer.send(picture(0))
      peer.send({ type: 'reset' })
      peer.send(picture(1))
      peer.send({ type: 'flush' })
      const [before, reset, after, flushed] = await peer.take(4)
      const epoch = peer.ready.epoch
      equal([before?.epoch, reset?.epoch, after?.epoch], [epoch, epoch + 1, epoch + 1], 'the epochs')
      equal([reset?.type, reset?.seq, reset?.reason], ['reset', null, 'client'], 'the reset')
      if (peer.ready.mode === 'single') return
      equal(flushed?.digest, digestOf([{ seq: 1, payload: pixels(1) }]), 'the digest')
    }
  },
  {
    clause: 'X7',
    says: 'a reset crosses depth maps: those of frames before it still come, of the old epoch',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless', credit: 0 })
      for (const seq of [8, 9]) peer.send(picture(seq))
      peer.send({ type: 'reset' })
      peer.send(picture(10))
      peer.send({ type: 'credit', results: 3 })
      const all = await peer.take(4)
      equal(inShort(all), ['depth 8', 'depth 9', 'reset client', 'depth 10'], 'what came')
      const epoch = peer.ready.epoch
      equal(
        all.map((one) => one.epoch),
        [epoch, epoch, epoch + 1, epoch + 1],
        'the epochs'
      )
    }
  },
  {
    clause: 'M30',
    says: 'an update holds from the next frame on, and updated stands behind the frames before it',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless', credit: 0, output: { format: 'f32' } })
      peer.send(picture(0))
      peer.send({ type: 'update', id: 'a', output: { format: 'png16' } })
      peer.send(picture(1))
      peer.send({ type: 'update', output: {} })
      peer.send(picture(2))
      peer.send({ type: 'credit', results: 3 })
      const all = await peer.take(5)
      equal(inShort(all), ['depth 0', 'updated', 'depth 1', 'updated', 'depth 2'], 'what came')
      const [first, , second, , third] = all.map(({ codec, dtype, id }) => [codec, dtype, id])
      equal([first?.[0], first?.[1]], [codecs.raw, dtypes.f32], 'codec and dtype before')
      equal([second?.[0], third?.[1]], [codecs.png, dtypes.u16], 'codec and dtype after')
      equal(
        all.filter(({ type }) => type === 'updated').map(({ id }) => id),
        ['a', ''],
        'the ids'
      )
    }
  },
  {
    clause: 'M30',
    says: 'what is no output, or none that can be, is CONFIG_INVALID',
    async try(bench) {
      for (const wrong of [
        { output: { format: 'u128' } },
        { output: { refine: true } },
        { delivery: 'latest' }
      ]) {
        const peer = await bench.open()
        peer.send({ type: 'update', ...wrong })
        await peer.endsWith('CONFIG_INVALID')
      }
    }
  },
  {
    clause: 'F1',
    says: 'lossless: the first frame beyond maxInFlight fails with FLOW_CONTROL, the second ends the stream',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless', credit: 0 })
      const { maxInFlight } = peer.ready.limits
      if (maxInFlight > 1000) skip(`maxInFlight is ${maxInFlight}`)
      for (let seq = 0; seq <= maxInFlight; seq++) peer.send(picture(seq))
      peer.send({ type: 'credit', results: maxInFlight })
      const last = (await peer.outcomes(maxInFlight + 1)).at(-1)
      equal(
        inShort(last ? [last] : []),
        [`error ${maxInFlight} FLOW_CONTROL`],
        'the outcome of the frame beyond'
      )
      const other = await bench.open({ delivery: 'lossless', credit: 0 })
      for (let seq = 0; seq <= maxInFlight + 1; seq++) other.send(picture(seq))
      await other.endsWith('FLOW_CONTROL')
    }
  },
  {
    clause: 'F2',
    says: 'more than 16384 unsettled frames end the stream with FLOW_CONTROL',
    async try(bench) {
      const peer = await bench.open({ delivery: 'latest', credit: 0 })
      peer.send(picture(0))
      for (let seq = 1; seq <= 16_384; seq++)
        peer.send(encode({ seq, codec: codecs.jpeg, payload: new Uint8Array(0) }))
      await peer.endsWith('FLOW_CONTROL')
    }
  },
  {
    clause: 'F3',
    says: 'latest: a depth map without credit is replaced by the next one',
    async try(bench) {
      const peer = await bench.open({ delivery: 'latest', credit: 0 })
      for (const seq of [0, 1]) peer.send(picture(seq))
      equal(inShort(await peer.take(1)), ['drop 0 superseded'], 'without credit')
      peer.send({ type: 'credit', results: 1 })
      const depth = await peer.depth()
      holds((depth.flags & flags.droppedBefore) !== 0, 'the depth map has no flag droppedBefore')
    }
  },
  {
    clause: 'X2',
    says: 'a client that reads slowly gets the newest depth map, with flag droppedBefore',
    async try(bench) {
      const peer = await bench.open({ delivery: 'latest', credit: 1 })
      peer.send(picture(0))
      const first = await peer.depth()
      for (const seq of [1, 2]) peer.send(picture(seq))
      equal(inShort(await peer.take(1)), ['drop 1 superseded'], 'without credit')
      peer.send({ type: 'credit', results: 1 })
      const second: Depth = await peer.depth()
      equal([first.seq, second.seq], [0, 2], 'the depth maps')
      holds((second.flags & flags.droppedBefore) !== 0, 'the depth map has no flag droppedBefore')
    }
  },
  {
    clause: 'X1',
    says: 'a live camera: outcomes in order, the newest frame with a depth map',
    async try(bench) {
      const peer = await bench.open({ delivery: 'latest' })
      for (const seq of [0, 1, 2]) peer.send(picture(seq))
      const all = await peer.outcomes(3)
      equal(
        all.map(({ seq }) => seq),
        [0, 1, 2],
        'the outcomes'
      )
      equal(all.at(-1)?.type, 'depth', 'the outcome of the newest')
    }
  },
  {
    clause: 'X3',
    says: 'a bad frame in the middle: the latent cache never saw it',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      peer.send(picture(5))
      peer.send(encode({ seq: 6, codec: codecs.jpeg, payload: Uint8Array.of(0xff, 0xd8, 0xff, 9) }))
      peer.send(picture(7))
      peer.send({ type: 'flush' })
      const all = await peer.take(4)
      equal(inShort(all), ['depth 5', 'error 6 FRAME_DECODE_FAILED', 'depth 7', 'flushed 7'], 'what came')
      if (peer.ready.mode === 'single') return
      equal(all[3]?.digest, digestOf([5, 7].map((seq) => ({ seq, payload: pixels(seq) }))), 'the digest')
    }
  },
  {
    clause: 'F5',
    says: 'more than 256 flush and reset without an answer end the stream with FLOW_CONTROL',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless', credit: 0 })
      peer.send(picture(0))
      for (let i = 0; i <= 256; i++) peer.send({ type: 'flush', id: String(i) })
      await peer.endsWith('FLOW_CONTROL')
    }
  }
]
