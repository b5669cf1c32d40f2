import { errorCodes, errorDefinition } from '../../src/errors.ts'
import { addressVectors, badAddresses } from './addresses.ts'
import { badMessages, goodMessages, maxPixels } from './binary.ts'
import { clientVectors, serverVectors } from './control.ts'

/** The files of `test/vectors`, by their names: what goes over the wire, and what it means to whoever reads it. */
export function vectorFiles(): Map<string, Uint8Array> {
  const good = goodMessages()
  const bad = badMessages()
  const files = new Map<string, Uint8Array>()
  for (const { name, message } of [...good, ...bad]) files.set(`${name}.bin`, message)
  const json = (name: string, value: object) => files.set(name, new TextEncoder().encode(inLines(value)))
  json('binary.json', {
    maxPixels: [maxPixels],
    good: good.map(({ message: _, ...meaning }) => meaning),
    bad: bad.map(({ message: _, ...meaning }) => meaning)
  })
  json('control.json', { client: clientVectors, server: serverVectors })
  json('addresses.json', { good: addressVectors, bad: badAddresses })
  json('errors.json', { errors: errorCodes.map(registered) })
  return files
}

function registered(code: (typeof errorCodes)[number]) {
  const { close, retryMs, outlived = false } = errorDefinition(code)
  return { code, close, temporary: retryMs !== null, outlived }
}

/** JSON with one example to the line, so that a change of one is a change of one line. */
function inLines(lists: object): string {
  const parts = Object.entries(lists).map(
    ([name, list]) =>
      `${JSON.stringify(name)}: [\n${(list as object[]).map((one) => JSON.stringify(one)).join(',\n')}\n]`
  )
  return `{\n${parts.join(',\n')}\n}\n`
}
