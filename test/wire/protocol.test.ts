import { expect, test } from 'vitest'
import { LeadlineError } from '../../src/errors.ts'
import { parseServerMessage } from '../../src/client/server-message.ts'
import { parseClientMessage } from '../../src/wire/protocol.ts'
import { sessionOptions } from '../../src/session.ts'

function refusal(text: string): LeadlineError {
  try {
    parseClientMessage(text)
  } catch (error) {
    if (error instanceof LeadlineError) return error
    throw error
  }
  return expect.fail(`${text} was accepted`)
}

test('a config may say nothing but its type, and every default is filled in', () => {
  const message = parseClientMessage('{"type":"config"}')
  expect(message).toEqual({ type: 'config' })
  expect(sessionOptions({}, 'nano')).toEqual({
    model: 'nano',
    mode: 'ovda',
    cacheSize: null,
    delivery: 'latest',
    priority: 5,
    sceneCut: true,
    stabilize: false,
    steadyRange: false,
    output: {
      format: 'u16',
      size: 'network',
      refine: false,
      compression: 'none',
      colormap: 'turbo',
      quality: 85
    }
  })
})

test.each([
  ['hello', 'MESSAGE_MALFORMED', /hello/],
  ['[]', 'MESSAGE_MALFORMED', /missing/],
  ['{"type":"dance"}', 'MESSAGE_MALFORMED', /"dance"/],
  ['{"type":"config","delivery":"someday"}', 'CONFIG_INVALID', /\/delivery/],
  ['{"type":"config","stabilize":"yes"}', 'CONFIG_INVALID', /\/stabilize is "yes".*boolean/],
  ['{"type":"config","cacheSize":99}', 'CONFIG_INVALID', /\/cacheSize/],
  ['{"type":"config","colour":"red"}', 'CONFIG_INVALID', /\/colour/],
  ['{"type":"credit","results":0}', 'MESSAGE_MALFORMED', /\/results/]
])('%s is refused with what is wrong', (text, code, detail) => {
  expect(refusal(text)).toMatchObject({ code, message: expect.stringMatching(detail) })
})

test('a client ignores a server message of a type it does not know', () => {
  expect(parseServerMessage('{"type":"weather","sky":"blue"}')).toBeNull()
  expect(parseServerMessage('{"type":"flushed","id":"a"}')).toEqual({ type: 'flushed', id: 'a' })
})
