import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { commandOf } from '../../conformance/command.ts'
import { serverUrl, streamUrl } from '../../src/client/index.ts'

const file = path.join(import.meta.dirname, '..', 'vectors', 'addresses.json')
const { good, bad } = JSON.parse(await readFile(file, 'utf8')) as {
  good: { address: string; stream: string }[]
  bad: { address: string }[]
}

test.each(good)('the stream of $address is at $stream', async ({ address, stream }) => {
  expect(streamUrl(address).href).toBe(stream)
  expect(serverUrl(address).href).toBe(stream.replace('ws', 'http').replace(/v1\/stream.*/, ''))
  expect((await commandOf([address]))?.target.url.href).toBe(stream)
})

test.each(bad)('"$address" is not the address of a server', async ({ address }) => {
  expect(() => streamUrl(address)).toThrow(/is not the address of a server; write host:port/)
  await expect(commandOf([address])).rejects.toThrow(/name one server, such as 127/)
})

test('an address may have come as a URL, be it one of the scheme localhost', () => {
  expect(streamUrl(new URL('localhost:8042')).href).toBe('ws://localhost:8042/v1/stream')
})
