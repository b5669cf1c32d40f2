import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApp, testApp } from '../helpers/build-app.ts'
import type { StreamClient } from '../helpers/stream-client.ts'
import { connect, frameMessage, greyFrame, openStream } from '../helpers/stream-client.ts'

/** One gateway for all of it: what one client did wrong must not show in what the next one gets. */
let url: string
let closeApp: () => Promise<void>
let jpeg: Buffer
beforeAll(async () => {
  const { listen, close } = await startTestApp()
  url = await listen()
  closeApp = close
  jpeg = await sharp({ create: { width: 56, height: 42, channels: 3, background: '#456' } })
    .jpeg()
    .toBuffer()
})

afterAll(() => closeApp())

/** After whatever happened to one client, another is served. */
async function expectServed(at = url): Promise<void> {
  const client = await openStream(at)
  client.send(frameMessage(0, jpeg, { codec: 'jpeg' }))
  await client.expect('result')
}

/** A PNG whose header is right and claims 20000x20000 pixels, of which there are none. */
function hugePng(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const frame = Buffer.alloc(8)
    frame.writeUInt32BE(data.length)
    frame.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
  }
  const header = Buffer.from('00004e2000004e200802000000', 'hex')
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync('')),
    chunk('IEND', Buffer.alloc(0))
  ])
}

const badFrames: Record<string, { message: () => Uint8Array; code: string; detail: RegExp }> = {
  'a frame that is no image': {
    message: () => frameMessage(1, Buffer.from('hello, world'), { codec: 'jpeg' }),
    code: 'FRAME_DECODE_FAILED',
    detail: /jpeg/
  },
  'a JPEG cut in half': {
    message: () => frameMessage(1, jpeg.subarray(0, jpeg.length / 2), { codec: 'jpeg' }),
    code: 'FRAME_DECODE_FAILED',
    detail: /Frame 1/
  },
  'a PNG that claims 20000x20000 pixels': {
    message: () => frameMessage(1, hugePng(), { codec: 'png' }),
    code: 'FRAME_TOO_LARGE',
    detail: /20000x20000/
  },
  'a header that claims more pixels than allowed': {
    message: () => frameMessage(1, new Uint8Array(9), { width: 60_000, height: 60_000 }),
    code: 'FRAME_TOO_LARGE',
    detail: /60000x60000/
  },
  'a frame without payload': {
    message: () => frameMessage(1, new Uint8Array(0), { codec: 'jpeg' }),
    code: 'FRAME_EMPTY',
    detail: /send the image after the header/
  },
  'raw pixels of the wrong length': {
    message: () => frameMessage(1, new Uint8Array(100), { width: 56, height: 42 }),
    code: 'FRAME_DECODE_FAILED',
    detail: /needs 7056 bytes, got 100/
  },
  'a codec that is for depth maps': {
    message: () => frameMessage(1, new Uint8Array(8), { codec: 'raw', width: 2, height: 2 }),
    code: 'FRAME_UNSUPPORTED',
    detail: /send jpeg, webp, png/
  }
}

test.each(Object.entries(badFrames))(
  '%s fails alone, and the session goes on',
  async (_, { message, code, detail }) => {
    const client = await openStream(url, { delivery: 'lossless' })
    client.send(greyFrame(0))
    client.send(message())
    client.send(greyFrame(2))
    expect((await client.expect('result')).header.seq).toBe(0)
    expect(await client.next()).toMatchObject({
      type: 'error',
      seq: 1,
      code,
      detail: expect.stringMatching(detail)
    })
    expect((await client.expect('result')).header).toMatchObject({ seq: 2, epoch: 1 })
    await expectServed()
  }
)

interface BadStream {
  send: (client: StreamClient) => void
  code: string
  close: number
  detail: RegExp
}

const unconfigured: Record<string, BadStream> = {
  'a frame before config': {
    send: (client) => client.send(greyFrame(0)),
    ...{ code: 'CONFIG_EXPECTED', close: 4590, detail: /"config"/ }
  },
  'a command before config': {
    send: (client) => client.send({ type: 'flush' }),
    ...{ code: 'CONFIG_EXPECTED', close: 4590, detail: /"flush"/ }
  },
  'a model that nobody serves': {
    send: (client) => client.send({ type: 'config', model: 'gigantic' }),
    ...{ code: 'MODEL_UNKNOWN', close: 4522, detail: /"gigantic".*tiny/ }
  },
  'a window that the model does not have': {
    send: (client) => client.send({ type: 'config', cacheSize: 7 }),
    ...{ code: 'MODEL_MODE_UNSUPPORTED', close: 4522, detail: /7/ }
  },
  'a config with an unknown member': {
    send: (client) => client.send({ type: 'config', delivry: 'latest' }),
    ...{ code: 'CONFIG_INVALID', close: 4522, detail: /delivry/ }
  }
}

test.each(Object.entries(unconfigured))('%s ends the stream', async (_, { send, code, close, detail }) => {
  const client = await connect(url)
  send(client)
  expect(await client.rest()).toMatchObject([{ type: 'error', code, detail: expect.stringMatching(detail) }])
  expect(await client.closed).toEqual({ code: close, reason: code })
  await expectServed()
})

const configured: Record<string, BadStream> = {
  'a message with the wrong magic': {
    send: (client) => client.send(new Uint8Array(100).fill(7)),
    ...{ code: 'FRAME_MALFORMED', close: 4590, detail: /0x707 instead of "LL"/ }
  },
  'a message shorter than a header': {
    send: (client) => client.send(greyFrame(1).subarray(0, 20)),
    ...{ code: 'FRAME_MALFORMED', close: 4590, detail: /20 bytes/ }
  },
  'a depth map sent as a frame': {
    send: (client) => client.send(frameMessage(6, new Uint8Array(3), { kind: 2, width: 1, height: 1 })),
    ...{ code: 'FRAME_MALFORMED', close: 4590, detail: /kind 2/ }
  },
  'a seq that goes back': {
    send: (client) => client.send(greyFrame(0)),
    ...{ code: 'FRAME_OUT_OF_ORDER', close: 4590, detail: /seq 0 came after 5/ }
  },
  'text where binary is due': {
    send: (client) => client.send('not json at all'),
    ...{ code: 'MESSAGE_MALFORMED', close: 4590, detail: /not json at all/ }
  },
  'a message of a type that is not known': {
    send: (client) => client.send({ type: 'dance' }),
    ...{ code: 'MESSAGE_MALFORMED', close: 4590, detail: /"dance"/ }
  },
  'a control message as large as a frame': {
    send: (client) => client.send(JSON.stringify({ type: 'ping', id: 'x'.repeat(70_000) })),
    ...{ code: 'MESSAGE_MALFORMED', close: 4590, detail: /65536/ }
  },
  'a second config': {
    send: (client) => client.send({ type: 'config' }),
    ...{ code: 'CONFIG_REPEATED', close: 4590, detail: /config/ }
  }
}

test.each(Object.entries(configured))('%s ends the stream', async (_, { send, code, close, detail }) => {
  const client = await openStream(url, { delivery: 'lossless' })
  client.send(greyFrame(5))
  await client.expect('result')
  send(client)
  expect(await client.rest()).toMatchObject([{ type: 'error', code, detail: expect.stringMatching(detail) }])
  expect(await client.closed).toEqual({ code: close, reason: code })
  await expectServed()
})

test('a message beyond maxFrameBytes is cut off with 1009', async () => {
  const { listen } = await testApp({ config: { maxFrameBytes: 20_000 } })
  const url = await listen()
  const client = await openStream(url)
  client.send(new Uint8Array(20_001))
  expect(await client.rest()).toEqual([])
  expect(await client.closed).toMatchObject({ code: 1009 })
  await expectServed(url)
})

test('a client that says nothing is closed, and invited to come back', async () => {
  const { listen } = await testApp({ config: { configTimeoutMs: 100 } })
  const url = await listen()
  const client = await connect(url)
  expect(await client.next()).toMatchObject({ type: 'error', code: 'CONFIG_TIMEOUT', temporary: true })
  expect(await client.closed).toEqual({ code: 4408, reason: 'CONFIG_TIMEOUT' })
})

test('a session without any message is closed as idle', async () => {
  const { listen } = await testApp({ config: { idleTimeoutMs: 100 } })
  const client = await openStream(await listen())
  expect(await client.next()).toMatchObject({ type: 'error', code: 'SESSION_IDLE', temporary: true })
  expect(await client.closed).toEqual({ code: 4410, reason: 'SESSION_IDLE' })
})
