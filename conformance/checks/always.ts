import type { Check } from '../check.ts'
import { equal, skip } from '../check.ts'
import { describe, inShort, isOutcome } from '../peer.ts'
import type { Peer } from '../peer.ts'
import { flat, picture } from '../pictures.ts'
import { encode, kinds } from '../wire.ts'

/** Communication: what always holds of a connection. */
export const always: Check[] = [
  {
    clause: 'C2',
    says: 'a control message of more than 64 KiB ends the stream',
    async try(bench) {
      const peer = await bench.open()
      peer.send({ type: 'ping', pad: 'x'.repeat(65_536) })
      await peer.endsWith('MESSAGE_MALFORMED')
    }
  },
  ...(
    [
      ['a frame', picture(0)],
      ['a ping', JSON.stringify({ type: 'ping' })],
      ['more than 64 KiB of it', encode({ seq: 0, payload: new Uint8Array(70_000) })]
    ] as const
  ).map(([what, message]): Check => ({
    clause: 'C3',
    says: `${what} before config ends the stream with CONFIG_EXPECTED`,
    async try(bench) {
      const peer = await bench.connect()
      peer.send(message)
      await peer.endsWith('CONFIG_EXPECTED')
    }
  })),
  {
    clause: 'C3',
    says: 'what is sent behind config without waiting for ready is handled in order',
    async try(bench) {
      const peer = await bench.connect()
      peer.send(bench.config({ delivery: 'lossless' }))
      for (const seq of [0, 1]) peer.send(picture(seq))
      peer.send({ type: 'close' })
      equal(inShort(await peer.rest()), ['ready', 'depth 0', 'depth 1', 'summary'], 'what came')
    }
  },
  {
    clause: 'C4',
    says: 'a seq that does not rise ends the stream',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      for (const seq of [5, 5]) peer.send(picture(seq))
      await peer.endsWith('FRAME_OUT_OF_ORDER')
    }
  },
  {
    clause: 'C4',
    says: 'seq may skip numbers, up to 2^53 - 1',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      const seqs = [3, 1000, 2 ** 53 - 1]
      for (const seq of seqs) peer.send(picture(seq, 1))
      equal(
        (await peer.outcomes(3)).map(({ seq }) => seq),
        seqs,
        'the outcomes'
      )
    }
  },
  {
    clause: 'C5',
    says: 'lossless: one outcome for each frame, in the order of seq',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      const count = Math.min(6, peer.ready.limits.maxInFlight)
      const seqs = [...Array(count).keys()]
      for (const seq of seqs) peer.send(picture(seq))
      peer.send({ type: 'close' })
      equal(
        (await peer.rest()).filter(isOutcome).map(({ seq }) => seq),
        seqs,
        'the outcomes'
      )
    }
  },
  {
    clause: 'C5',
    says: 'latest: one outcome for each frame, in the order of seq, in a burst too',
    async try(bench) {
      const peer = await bench.open({ delivery: 'latest' })
      const seqs = [...Array(40).keys()]
      for (const seq of seqs) peer.send(picture(seq))
      peer.send({ type: 'close' })
      equal(
        (await peer.rest()).filter(isOutcome).map(({ seq }) => seq),
        seqs,
        'the outcomes'
      )
    }
  },
  {
    clause: 'C5',
    says: 'reset and flushed keep their place among the outcomes',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      peer.send(picture(0))
      peer.send({ type: 'flush', id: 'a' })
      peer.send({ type: 'reset' })
      peer.send(picture(1))
      peer.send({ type: 'flush', id: 'b' })
      const wanted = ['depth 0', 'flushed 0', 'reset client', 'depth 1', 'flushed 1']
      equal(
        inShort([...(await peer.until('flushed')), ...(await peer.until('flushed'))]),
        wanted,
        'what came'
      )
    }
  },
  {
    clause: 'C6',
    says: 'a failure with a seq fails that frame alone',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      for (const message of [picture(0), encode({ seq: 1, payload: new Uint8Array(0) }), picture(2)])
        peer.send(message)
      equal(inShort(await peer.outcomes(3)), ['depth 0', 'error 1 FRAME_EMPTY', 'depth 2'], 'the outcomes')
    }
  },
  {
    clause: 'C6',
    says: 'a failure without a seq drops every frame that has no outcome, and ends the stream',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless', credit: 0 })
      for (const seq of [0, 1]) peer.send(picture(seq))
      peer.send('nonsense')
      const { before } = await peer.endsWith('MESSAGE_MALFORMED')
      equal(inShort(before), ['drop 0 closed', 'drop 1 closed'], 'what came before the error')
    }
  },
  {
    clause: 'C7',
    says: 'the close reason is the code of the error',
    async try(bench) {
      const peer = await bench.open()
      peer.send({ type: 'config' })
      await peer.endsWith('CONFIG_REPEATED')
      equal((await peer.closed()).reason, 'CONFIG_REPEATED', 'the close reason')
    }
  },
  {
    clause: 'C8',
    says: 'a message of a type that the server does not know ends the stream',
    async try(bench) {
      const peer = await bench.open()
      peer.send({ type: 'dance' })
      await peer.endsWith('MESSAGE_MALFORMED')
    }
  },
  {
    clause: 'C8',
    says: 'an unknown member of config is refused, and one of another message is not',
    async try(bench) {
      const peer = await bench.open()
      peer.send({ type: 'ping', id: 'a', mood: 'fine' })
      equal(await peer.next(), { type: 'pong', id: 'a' }, 'the answer')
      const other = await bench.connect()
      other.send(bench.config({ colour: 'red' }))
      await other.endsWith('CONFIG_INVALID')
    }
  },
  ...(
    [
      ['kind', { kind: 9 }],
      ['codec', { codec: 99 }],
      ['dtype', { dtype: 77 }],
      ['quantity', { quantity: 99 }]
    ] as const
  ).map(([what, header]): Check => ({
    clause: 'C8',
    says: `a frame of an unknown ${what} ends the stream`,
    async try(bench) {
      const peer = await bench.open()
      peer.send(encode({ seq: 0, width: 1, height: 1, payload: new Uint8Array(3), ...header }))
      await peer.endsWith('FRAME_MALFORMED')
    }
  })),
  {
    clause: 'C10',
    says: 'a client that closes with 1000 frees its session, resumable or not',
    async try(bench) {
      const opened = await bench.openKept()
      opened.send(picture(0))
      await opened.depth()
      opened.ws.close(1000)
      await opened.closed()
      const { answer } = await bench.comeBack(opened, { seq: 0 })
      equal(inShort([answer]), ['error SESSION_UNKNOWN'], 'the answer to a resume')
    }
  },
  {
    clause: 'C10',
    says: 'a session that is not resumable is freed with its socket',
    async try(bench) {
      const opened = await bench.open({ delivery: 'lossless' })
      equal(opened.ready.limits.graceMs, 0, 'graceMs')
      opened.cut()
      const { answer } = await bench.comeBack(opened, { seq: -1 })
      equal(inShort([answer]), ['error SESSION_UNKNOWN'], 'the answer to a resume')
    }
  },
  {
    clause: 'C11',
    says: 'the server answers the pings of WebSocket',
    async try(bench) {
      const peer = await bench.open()
      const answered = new Promise<string>((resolve) =>
        peer.ws.once('pong', (data) => resolve(data.toString()))
      )
      peer.ws.ping('are you there')
      peer.send({ type: 'ping' })
      await peer.expect('pong')
      equal(await answered, 'are you there', 'the pong')
    }
  },
  {
    clause: 'C11',
    says: 'the server sends pings of WebSocket',
    isSlow: true,
    async try(bench) {
      const peer = await bench.open()
      const pinged = new Promise<'pinged'>((resolve) => peer.ws.once('ping', () => resolve('pinged')))
      const first = await Promise.race([pinged, saidBeside(peer, ['notice', 'parked'])])
      equal(first, 'pinged', 'what came first')
    }
  },
  {
    clause: 'M7',
    says: 'a message of more than maxFrameBytes is cut off with close code 1009, without an error',
    async try(bench) {
      const peer = await bench.open()
      const { maxFrameBytes } = peer.ready.limits
      if (maxFrameBytes > 2 ** 26) skip(`maxFrameBytes is ${maxFrameBytes}, more than this sends`)
      peer.send(encode({ kind: kinds.frame, seq: 0, payload: new Uint8Array(maxFrameBytes + 1) }))
      equal(inShort(await peer.rest()), [], 'what came')
      equal((await peer.closed()).code, 1009, 'the close code')
    }
  },
  {
    clause: 'M9',
    says: 'a blank frame has a depth map with flag blank, and the latent cache does not remember it',
    async try(bench) {
      const digests: unknown[] = []
      const peer = await bench.open({ delivery: 'lossless' })
      for (const message of [picture(0), flat(1)]) {
        peer.send(message)
        const { flags } = await peer.depth()
        digests.push((flags & 4) !== 0)
        peer.send({ type: 'flush' })
        digests.push((await peer.expect('flushed')).digest)
      }
      const [isBlank, before, isFlatBlank, after] = digests
      equal([isBlank, isFlatBlank], [false, true], 'which of a picture and a flat frame is blank')
      equal(after, before, 'the state digest behind the blank frame')
    }
  }
]

/** The next message that is not of these types, which may come at any time. */
async function saidBeside(peer: Peer, types: readonly string[]): Promise<string> {
  for (;;) {
    const message = await peer.next()
    if (!types.includes(message.type)) return describe(message)
  }
}
