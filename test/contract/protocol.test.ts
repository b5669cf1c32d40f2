import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Header } from '../../src/wire/frame.ts'
import {
  codecs,
  decodeMessage,
  dtypes,
  encodeMessage,
  flags,
  frameVersion,
  headerBytes,
  kinds,
  quantities
} from '../../src/wire/frame.ts'
import { parseServerMessage } from '../../src/client/server-message.ts'
import { subprotocol } from '../../src/wire/control-text.ts'
import { clientSchemas, parseClientMessage, serverSchemas } from '../../src/wire/protocol.ts'
import { colormaps, outputFormats, outputSizes } from '../../src/wire/output.ts'
import {
  deliveries,
  dropReasons,
  liveModes,
  continuities,
  parkReasons,
  resetReasons
} from '../../src/session.ts'
import { testApp } from '../helpers/build-app.ts'
import { codeBlocks, protocolPage, section, tables } from './protocol-page.ts'

const [fields = [], values = []] = tables(section('## Binary messages'))

/** A header in which every field differs from every other, so that a swapped offset cannot hide. */
const header: Header = {
  ...{ kind: kinds.depth, flags: 0x0102, seq: 2 ** 40 + 3, timestampUs: 2 ** 41 + 5, epoch: 0x01020304 },
  ...{ codec: 'png', dtype: 'f16', width: 0x1234, height: 0x2345, scale: 1.5, offset: -2.5, rangeMin: 3.5 },
  ...{ rangeMax: 4.5, quantity: 'metric-depth', queueUs: 0x0a0b0c0d, computeUs: 0x0d0c0b0a }
}
const numbers: Record<string, number> = {
  ...header,
  magic: 0x4c4c,
  version: frameVersion,
  headerLength: headerBytes,
  codec: codecs.png,
  dtype: dtypes.f16,
  quantity: quantities['metric-depth']
} as Record<string, number>

function read(view: DataView, type: string, at: number): number {
  if (type === 'u8') return view.getUint8(at)
  if (type === 'u16') return view.getUint16(at, true)
  if (type === 'u32') return view.getUint32(at, true)
  if (type === 'u64') return Number(view.getBigUint64(at, true))
  if (type === 'f32') return view.getFloat32(at, true)
  return expect.fail(`"${type}" is not a type`)
}

test.each(fields.map((row) => [row.field ?? '', row] as const))(
  'the table has %s where the code has it',
  (field, row) => {
    const view = new DataView(encodeMessage(header, new Uint8Array(0)).buffer)
    expect(read(view, row.type ?? '', Number(row.offset))).toBe(numbers[field])
    expect(Number(row.size) * 8).toBe(Number(row.type?.slice(1)))
  }
)

test('the table covers the header without gap and names every field of it', () => {
  let end = 0
  for (const { offset, size } of fields) {
    expect(Number(offset)).toBe(end)
    end += Number(size)
  }
  expect(end).toBe(headerBytes)
  expect(fields.map(({ field }) => field).toSorted()).toEqual(Object.keys(numbers).toSorted())
})

test('the numbers of kinds, codecs, dtypes, quantities and flags are the code’s', () => {
  const listed = Object.fromEntries(values.map(({ field, values: text }) => [field, numbersOf(text ?? '')]))
  expect(listed).toEqual({ kind: kinds, codec: codecs, dtype: dtypes, quantity: quantities, flags })
})

function numbersOf(text: string): Record<string, number> {
  return Object.fromEntries(
    [...text.matchAll(/`([\w-]+)` (\d+)/g)].map(([, name, number]) => [name, Number(number)])
  )
}

test('every choice that a config and a server message may make is on the page', () => {
  const choices = [
    liveModes,
    deliveries,
    outputFormats,
    outputSizes,
    colormaps,
    dropReasons,
    resetReasons,
    continuities,
    parkReasons
  ].flat()
  for (const choice of [subprotocol, ...choices]) expect(protocolPage).toContain(`\`${choice}\``)
})

test('every message type of either side has its section', () => {
  const headings = protocolPage.match(/^### .*$/gm)?.join(' ') ?? ''
  for (const type of [...Object.keys(clientSchemas), ...Object.keys(serverSchemas)])
    expect(headings).toContain(`\`${type}\``)
})

const examples = codeBlocks(section('## Messages'), 'json')

test('every message type of either side has an example', () => {
  const shown = new Set(examples.map((example) => (JSON.parse(example) as { type: string }).type))
  expect([...shown].toSorted()).toEqual(
    [...new Set([...Object.keys(clientSchemas), ...Object.keys(serverSchemas)])].toSorted()
  )
})

test.each(examples)('the example is a valid message: %s', (example) => {
  const { type } = JSON.parse(example) as { type: string }
  const fromServer = type !== 'reset' && Object.hasOwn(serverSchemas, type)
  const isServerReset = type === 'reset' && example.includes('epoch')
  const parsed = fromServer || isServerReset ? parseServerMessage(example) : parseClientMessage(example)
  expect(parsed).toEqual(JSON.parse(example))
})

test('the minimal client on the page runs as it stands', async () => {
  const { listen } = await testApp()
  const url = await listen()
  const [code = ''] = codeBlocks(section('## A minimal client'), 'js')
  expect(code.match(/^.*\S.*$/gm)?.length).toBeLessThanOrEqual(25)
  const told: unknown[] = []
  const sockets: WebSocket[] = []
  class Socket extends WebSocket {
    constructor(address: string, protocol: string) {
      super(address.replace('ws://127.0.0.1:8042', url.replace('http', 'ws')), protocol)
      sockets.push(this)
    }
  }
  const run = new Function('WebSocket', 'console', code) as (socket: unknown, console: object) => void
  run(Socket, { log: (line: unknown) => told.push(line) })
  await new Promise((resolve) => sockets[0]?.addEventListener('close', resolve))
  expect(told[0]).toMatchObject({ type: 'ready' })
  expect(told.slice(1, 4)).toEqual(
    [0, 1, 2].map((seq) => expect.stringMatching(`^frame ${seq}: inverse depth [\\d.]+`))
  )
  expect(told[4]).toMatchObject({ type: 'summary', frames: 3, results: 3 })
})

test('a payload starts where the header length says, so that extensions can be added', () => {
  const message = encodeMessage(header, new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
  new DataView(message.buffer).setUint16(4, headerBytes + 8, true)
  expect([...decodeMessage(message).payload]).toEqual([9, 10])
})
