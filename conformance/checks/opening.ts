import type { Check } from '../check.ts'
import { equal, holds } from '../check.ts'
import { inShort } from '../peer.ts'
import { picture } from '../pictures.ts'

const liveModes = ['ovda', 'vda-stream', 'single']

const wrongConfigs: [what: string, config: object][] = [
  ['a delivery that there is not', { delivery: 'someday' }],
  ['a window that is too large', { cacheSize: 1000 }],
  ['a word where a number belongs', { priority: 'high' }],
  ['an output format that there is not', { output: { format: 'u128' } }],
  ['a quality beyond 100', { output: { quality: 101 } }],
  ['refine without size source', { output: { refine: true } }],
  ['a negative credit', { credit: -1 }],
  ['an empty context', { context: { bytes: 0 } }]
]

/** `config` and `ready`. */
export const opening: Check[] = [
  {
    clause: 'M1',
    says: 'config may say nothing but its type',
    async try(bench) {
      const { ready } = await bench.open()
      holds(ready.limits.graceMs === 0, 'a session is kept that did not ask for it')
    }
  },
  {
    clause: 'M1',
    says: 'every member may be given',
    async try(bench) {
      const output = { format: 'jpeg', size: 'network', refine: false, colormap: 'inferno', quality: 50 }
      const steady = { sceneCut: false, stabilize: true, steadyRange: true }
      const peer = await bench.open({ delivery: 'lossless', priority: 3, credit: 4, ...steady, output })
      peer.send(picture(0))
      await peer.depth()
    }
  },
  {
    clause: 'M1',
    says: 'each mode is opened, or refused with MODEL_MODE_UNSUPPORTED',
    async try(bench) {
      const opened: string[] = []
      for (const mode of liveModes) {
        const peer = await bench.connect()
        peer.send(bench.config({ mode }))
        const answer = await peer.next()
        const isRefused =
          answer.type === 'error' && (answer as { code?: string }).code === 'MODEL_MODE_UNSUPPORTED'
        if (answer.type === 'ready') opened.push(String(answer.mode))
        holds(answer.type === 'ready' || isRefused, `mode ${mode} gave ${JSON.stringify(answer)}`)
        peer.ws.close(1000)
        await peer.closed()
      }
      holds(opened.length > 0, 'the model runs in no mode')
      equal(
        opened,
        liveModes.filter((mode) => opened.includes(mode)),
        'the modes that were opened'
      )
    }
  },
  ...wrongConfigs.map(([what, config]): Check => ({
    clause: 'M2',
    says: `${what} is CONFIG_INVALID`,
    async try(bench) {
      const peer = await bench.connect()
      peer.send(bench.config(config))
      await peer.endsWith('CONFIG_INVALID')
    }
  })),
  {
    clause: 'M2',
    says: 'a wish beside resume is CONFIG_INVALID',
    async try(bench) {
      const peer = await bench.connect()
      const resume = { session: 's_1', token: 't', epoch: 0, seq: -1 }
      peer.send({ type: 'config', mode: 'single', resume })
      await peer.endsWith('CONFIG_INVALID')
    }
  },
  {
    clause: 'M2',
    says: 'a model that nobody serves is MODEL_UNKNOWN',
    async try(bench) {
      const peer = await bench.connect()
      peer.send({ type: 'config', model: 'no-such-model-of-conformance' })
      await peer.endsWith('MODEL_UNKNOWN')
    }
  },
  {
    clause: 'M2',
    says: 'a second config is CONFIG_REPEATED',
    async try(bench) {
      const peer = await bench.open()
      peer.send(bench.config({}))
      await peer.endsWith('CONFIG_REPEATED')
    }
  },
  {
    clause: 'M2',
    says: 'a session that is not there is SESSION_UNKNOWN',
    async try(bench) {
      const peer = await bench.connect()
      peer.send({ type: 'config', resume: { session: 's_none', token: 'none', epoch: 0, seq: -1 } })
      await peer.endsWith('SESSION_UNKNOWN')
    }
  },
  {
    clause: 'M2',
    says: 'no config in time is CONFIG_TIMEOUT',
    isSlow: true,
    async try(bench) {
      const peer = await bench.connect()
      await peer.endsWith('CONFIG_TIMEOUT')
    }
  },
  {
    clause: 'M3',
    says: 'ready says what the session is, and limits that can be worked with',
    async try(bench) {
      const { ready } = await bench.open()
      const { maxInFlight, maxFrameBytes, maxPixels, idleTimeoutMs } = ready.limits
      for (const limit of [maxInFlight, maxFrameBytes, maxPixels, idleTimeoutMs])
        holds(limit > 0, `a limit is ${limit}`)
      if (bench.target.model !== null) equal(ready.model, bench.target.model, 'the model')
      holds(ready.epoch >= 1, `the first epoch is ${ready.epoch}`)
      holds(ready.session !== '' && ready.resumeToken !== '', 'session or token is empty')
    }
  },
  {
    clause: 'M3',
    says: 'each session has a name and a token of its own, and each ready a new token',
    async try(bench) {
      const first = await bench.openKept()
      const second = await bench.open()
      holds(first.ready.session !== second.ready.session, 'two sessions have one name')
      holds(first.ready.resumeToken !== second.ready.resumeToken, 'two sessions have one token')
      first.cut()
      const { ready } = await bench.resume(first, { seq: -1 })
      equal(ready.session, first.ready.session, 'the session')
      holds(ready.resumeToken !== first.ready.resumeToken, 'the token is the old one')
    }
  },
  {
    clause: 'E1',
    says: 'an error says whether the same may succeed later, and how long to wait if so',
    async try(bench) {
      const peer = await bench.connect()
      peer.send({ type: 'config', model: 'no-such-model-of-conformance' })
      const { error } = await peer.endsWith('MODEL_UNKNOWN')
      equal([error.temporary, error.retryAfterMs], [false, undefined], 'temporary and retryAfterMs')
      equal(await peer.closed(), { code: 4522, reason: 'MODEL_UNKNOWN' }, 'the close')
    }
  },
  {
    clause: 'M12',
    says: 'an error has a title and a detail for people',
    async try(bench) {
      const peer = await bench.open()
      peer.send('hello')
      const { error } = await peer.endsWith('MESSAGE_MALFORMED')
      for (const text of [error.title, error.detail])
        holds(/\w{3}/.test(String(text)), `"${text}" says nothing`)
    }
  },
  ...(
    [
      ['no JSON', 'hello'],
      ['no object', '[]'],
      ['no type', '{}'],
      ['a member of the wrong kind', '{"type":"credit","results":"2"}']
    ] as const
  ).map(([what, text]): Check => ({
    clause: 'M29',
    says: `${what} is MESSAGE_MALFORMED`,
    async try(bench) {
      const peer = await bench.open()
      peer.send(text)
      await peer.endsWith('MESSAGE_MALFORMED')
    }
  })),
  {
    clause: 'M27',
    says: 'a ping is answered at once and out of order, with its id',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless', credit: 0 })
      peer.send(picture(0))
      peer.send({ type: 'flush' })
      peer.send({ type: 'ping', id: 'x'.repeat(64) })
      peer.send({ type: 'ping' })
      equal(await peer.take(2), [{ type: 'pong', id: 'x'.repeat(64) }, { type: 'pong' }], 'what came')
      peer.send({ type: 'ping', id: 'x'.repeat(65) })
      await peer.endsWith('MESSAGE_MALFORMED')
    }
  },
  {
    clause: 'M28',
    says: 'close brings every outcome, then a summary that counts them, then the close with 1000',
    async try(bench) {
      const peer = await bench.open({ delivery: 'lossless' })
      for (const seq of [0, 1]) peer.send(picture(seq))
      peer.send({ type: 'close' })
      peer.send(picture(2))
      const all = await peer.rest()
      equal(inShort(all), ['depth 0', 'depth 1', 'summary'], 'what came')
      const { frames, results, drops, errors } = all.at(-1) as Record<string, unknown>
      equal({ frames, results, drops, errors }, { frames: 2, results: 2, drops: 0, errors: 0 }, 'the counts')
      equal(await peer.closed(), { code: 1000, reason: '' }, 'the close')
    }
  },
  {
    clause: 'M28',
    says: 'of a resumable session, close waits for the ack of the last outcome',
    async try(bench) {
      const peer = await bench.openKept()
      peer.send(picture(0))
      peer.send({ type: 'close' })
      await peer.depth()
      peer.send({ type: 'ping' })
      await peer.expect('pong')
      peer.send({ type: 'ack', seq: 0 })
      equal(inShort(await peer.rest()), ['summary'], 'what came')
    }
  },
  {
    clause: 'X9',
    says: 'a client may close while the server sends, and its session is freed',
    async try(bench) {
      const opened = await bench.openKept()
      for (const seq of [0, 1]) opened.send(picture(seq))
      await opened.depth()
      opened.ws.close(1000)
      equal((await opened.closed()).code, 1000, 'the close code')
      const { answer } = await bench.comeBack(opened, { seq: 0 })
      equal(inShort([answer]), ['error SESSION_UNKNOWN'], 'the answer to a resume')
    }
  },
  {
    clause: 'F6',
    says: 'a client that says nothing for idleTimeoutMs is SESSION_IDLE',
    isSlow: true,
    async try(bench) {
      await (await bench.open()).endsWith('SESSION_IDLE')
    }
  },
  ...(
    [
      [1002, 'a frame of WebSocket without mask', [0x81, 0x01, 0x41]],
      [1007, 'text that is not UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff]],
      [
        1008,
        'more than 16384 fragments',
        [0x01, 0x80, 0, 0, 0, 0, ...Array(16_384).fill([0, 0x80, 0, 0, 0, 0]).flat()]
      ]
    ] as [number, string, number[]][]
  ).map(([code, what, bytes]): Check => ({
    clause: 'E3',
    says: `${what} closes with ${code}, without an error`,
    async try(bench) {
      const peer = await bench.open()
      peer.raw(...bytes)
      equal(inShort(await peer.rest()), [], 'what came')
      equal((await peer.closed()).code, code, 'the close code')
    }
  }))
]
