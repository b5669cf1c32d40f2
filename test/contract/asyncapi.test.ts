import { readFileSync } from 'node:fs'
import path from 'node:path'
import schemaOfDocuments from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' }
import Schema from 'typebox/schema'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { asyncapiDocument } from '../../src/api/stream/asyncapi-document.ts'
import { clientSchemas, serverSchemas } from '../../src/wire/protocol.ts'
import { codeBlocks, section } from './protocol-page.ts'

interface Document {
  channels: { stream: { messages: Record<string, object> } }
  operations: Record<string, { messages: object[] }>
  components: { messages: Record<string, { payload: object }> }
}

const committed = readFileSync(path.join(import.meta.dirname, '..', '..', 'asyncapi.yaml'), 'utf8')
const document = parse(committed) as Document

/** By the schema of AsyncAPI 3.0 itself. */
function isAsyncApi(candidate: unknown): boolean {
  return Schema.Check(schemaOfDocuments as object, candidate)
}

/** What a local reference leads to. */
function resolve(pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document)
}

test('asyncapi.yaml is what the schemas say; if not, npm run asyncapi', () => {
  expect(asyncapiDocument()).toBe(committed)
})

test('asyncapi.yaml is AsyncAPI 3.0, which what is damaged is not', () => {
  expect(isAsyncApi(document)).toBe(true)
  expect(isAsyncApi({ ...document, channels: { stream: { adress: '/v1/stream' } } })).toBe(false)
  expect(isAsyncApi({ ...document, operations: { say: { action: 'shout' } } })).toBe(false)
})

test('every reference leads somewhere', () => {
  const references = [...committed.matchAll(/\$ref: "(#[^"]+)"/g)].map(([, pointer = '']) => pointer)
  expect(references.length).toBeGreaterThan(50)
  expect(references.filter((pointer) => resolve(pointer) === undefined)).toEqual([])
})

test('every message of either side is in it, and every one may be sent by somebody', () => {
  const controls = [
    ...Object.keys(clientSchemas).map((type) => `client.${type}`),
    ...Object.keys(serverSchemas).map((type) => `server.${type}`)
  ]
  const names = [...controls, 'frame', 'depth', 'context'].toSorted()
  expect(Object.keys(document.components.messages).toSorted()).toEqual(names)
  const said = Object.values(document.operations).flatMap(({ messages }) => messages)
  expect(new Set(said.map((message) => JSON.stringify(message))).size).toBe(names.length)
})

test.each(codeBlocks(section('## Messages'), 'json'))(
  'an example of PROTOCOL.md is one of asyncapi.yaml: %s',
  (text) => {
    const example = JSON.parse(text) as { type: string }
    const fits = ['client', 'server'].filter((side) => {
      const message = document.components.messages[`${side}.${example.type}`]
      return message !== undefined && Schema.Check(message.payload, example)
    })
    expect(fits.length).toBeGreaterThan(0)
  }
)
