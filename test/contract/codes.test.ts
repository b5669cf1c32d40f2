import { expect, test } from 'vitest'
import { errorCodes, errorDefinition, isErrorCode } from '../../src/errors.ts'
import { section, tables } from './protocol-page.ts'

const codes = section('## Codes')
const [ending = [], ofFrames = []] = tables(codes)
const elsewhere = /^Never on a stream[^:]*: (.*?)\.$/ms.exec(codes)?.[1]?.split(/,\s+/) ?? []
const clientOnly = ['CONNECTION_LOST']

test('every code of the registry is in PROTOCOL.md once, and every code there is in the registry', () => {
  const listed = [...ending, ...ofFrames].map(({ code }) => code ?? '').concat(elsewhere, clientOnly)
  expect(listed.toSorted()).toEqual(errorCodes.toSorted())
})

test.each(ending.map((row) => [row.code ?? '', row] as const))(
  '%s closes as PROTOCOL.md says',
  (code, row) => {
    const definition = isErrorCode(code) ? errorDefinition(code) : expect.fail(`${code} is not a code`)
    expect({ close: row.close, temporary: row.temporary, outlived: row.outlived }).toEqual({
      close: String(definition.close),
      temporary: definition.retryMs !== null ? 'yes' : 'no',
      outlived: definition.outlived === true ? 'yes' : 'no'
    })
    expect(row.when).toMatch(/\w/)
  }
)

test.each(ofFrames.map((row) => [row.code ?? '', row] as const))('%s only fails a frame', (code, row) => {
  const definition = isErrorCode(code) ? errorDefinition(code) : expect.fail(`${code} is not a code`)
  expect(definition.close).toBeNull()
  expect(row.temporary).toBe(definition.retryMs !== null ? 'yes' : 'no')
})

test('a close code below 4500 means that coming back may help, and the reason fits a close frame', () => {
  for (const { code = '', close, temporary } of ending) {
    expect(Buffer.byteLength(code), code).toBeLessThanOrEqual(123)
    if (Number(close) >= 4000) expect(Number(close) < 4500, code).toBe(temporary === 'yes')
  }
})

test('every code that the text names is in the registry', () => {
  const named = section('# The Leadline stream protocol').match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []
  expect(named.filter((code) => !isErrorCode(code))).toEqual([])
  expect(new Set(named).size).toBeGreaterThan(20)
})
