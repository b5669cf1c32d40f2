import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import Value from 'typebox/value'
import { vectorFiles } from '../scripts/wire-vectors/files.ts'
import { parseServerMessage } from '../src/client/server-message.ts'
import { depthResult, inflate } from '../src/client/depth-result.ts'
import { inflateU16 } from '../src/inference/pixels/deflated-u16.ts'
import { LeadlineError } from '../src/errors.ts'
import type { Header } from '../src/wire/frame.ts'
import { checkFrame, decodeFrame, decodeMessage, encodeMessage } from '../src/wire/frame.ts'
import { clientSchemas, parseClientMessage, serverSchemas } from '../src/wire/protocol.ts'

/** What all implementations read: the files, not the code that wrote them. */
const folder = path.join(import.meta.dirname, 'vectors')

interface BinaryVectors {
  maxPixels: [number]
  good: { name: string; header: Header; payloadBytes: number; values: number[] | null }[]
  bad: { name: string; code: string; by: 'anyone' | 'server' }[]
}
interface ControlVectors {
  client: ControlVector[]
  server: ControlVector[]
}
interface ControlVector {
  name: string
  text: string
  outcome: 'read' | 'ignored' | 'refused'
  code?: string
}

const binary = await json<BinaryVectors>('binary.json')
const control = await json<ControlVectors>('control.json')

async function json<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(path.join(folder, name), 'utf8')) as T
}

async function message(name: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(path.join(folder, `${name}.bin`)))
}

function refusal(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof LeadlineError) return error.code
    throw error
  }
  return 'none'
}

test('the files are what the code would write today; "npm run vectors" writes them anew', async () => {
  const wanted = vectorFiles()
  expect((await readdir(folder)).toSorted()).toEqual([...wanted.keys()].toSorted())
  for (const [name, bytes] of wanted)
    expect(Buffer.compare(await readFile(path.join(folder, name)), bytes), name).toBe(0)
})

test.each(binary.good)('$name is read as what it is', async ({ name, header, payloadBytes, values }) => {
  const found = decodeMessage(await message(name))
  expect(found.header).toEqual(header)
  expect(found.payload.byteLength).toBe(payloadBytes)
  if (values === null) return
  const isDeflated = header.codec === 'deflate'
  const read = depthResult(found, 0)
  await inflate(read)
  expect([...read.values()]).toEqual(values)
  if (!isDeflated) return
  // As a server reads it, too.
  const stored = inflateU16(found.payload, header)
  expect(Buffer.from(stored.buffer)).toEqual(Buffer.from(read.payload))
})

test('a message is written as it was read, but for extensions', async () => {
  for (const { name, header } of binary.good.filter(({ name }) => name !== 'depth-extended')) {
    const bytes = await message(name)
    expect(encodeMessage(header, decodeMessage(bytes).payload), name).toEqual(bytes)
  }
})

test.each(binary.bad)('$name is refused with $code', async ({ name, code, by }) => {
  const bytes = await message(name)
  const asServer = () => checkFrame(decodeFrame(bytes), { maxPixels: binary.maxPixels[0] })
  expect(refusal(asServer)).toBe(code)
  expect(refusal(() => decodeMessage(bytes))).toBe(by === 'anyone' ? code : 'none')
})

test.each([
  ['client', control.client, parseClientMessage, clientSchemas],
  ['server', control.server, parseServerMessage, serverSchemas]
] as const)('messages of a %s are read, passed over or refused', (_, vectors, parse, schemas) => {
  const read = new Set<string>()
  for (const { name, text, outcome, code } of vectors) {
    const found = { value: null as unknown }
    expect(
      refusal(() => (found.value = parse(text))),
      name
    ).toBe(code ?? 'none')
    if (outcome === 'read') {
      expect(found.value, name).toEqual(JSON.parse(text))
      read.add((JSON.parse(text) as { type: string }).type)
    } else expect(found.value, name).toBeNull()
  }
  expect([...read].toSorted(), 'every message has an example').toEqual(Object.keys(schemas).toSorted())
})

/** A value, and with each member of it, and of what lies in it, taken away or put in another way. */
function* altered(value: object): Generator<object> {
  yield value
  for (const [name, member] of Object.entries(value)) {
    if (name === 'type') continue
    const { [name]: _, ...rest } = value as Record<string, unknown>
    yield rest
    for (const other of [null, true, 'no such word', 'x'.repeat(65), -1, 2.5, [], {}])
      yield { ...value, [name]: other }
    if (typeof member !== 'object' || member === null) continue
    for (const inner of altered(member as object)) yield { ...value, [name]: inner }
  }
}

test.each(control.server.filter(({ outcome }) => outcome === 'read'))(
  'a client refuses of "$name" what the schema refuses, and nothing else',
  ({ text }) => {
    const message = JSON.parse(text) as { type: keyof typeof serverSchemas }
    for (const variant of altered(message)) {
      const isRight = Value.Check(serverSchemas[message.type], variant)
      const changed = JSON.stringify(variant)
      expect(
        refusal(() => parseServerMessage(changed)),
        changed
      ).toBe(isRight ? 'none' : 'MESSAGE_MALFORMED')
    }
  }
)
