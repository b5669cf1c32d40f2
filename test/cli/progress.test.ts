import { expect, test } from 'vitest'
import { createProgress } from '../../src/cli/progress.ts'

function shown(isTTY: boolean, total: number | null, isSilent = false): string {
  let text = ''
  const output = { isTTY, write: (more: string) => (text += more) }
  const progress = createProgress({ what: 'frames', total, isSilent, output })
  progress.update(1, '10 fps')
  progress.update(2, '11 fps')
  progress.stop()
  progress.stop()
  return text
}

test('a terminal sees the first and the last state on one line, which stopping ends once', () => {
  const text = shown(true, 9)
  expect(text.startsWith('\r\u001B[K1/9 frames · 10 fps\r\u001B[K')).toBe(true)
  expect(text.endsWith('\r\u001B[K2/9 frames · 11 fps\n')).toBe(true)
  expect(text.split('\n')).toHaveLength(2)
})

test('an unknown total is a question mark', () => {
  expect(shown(true, null)).toContain('2/? frames')
})

test('what is no terminal gets no control characters, and a silent one gets nothing', () => {
  expect(shown(false, 9)).not.toContain('\u001B')
  expect(shown(true, 9, true)).toBe('')
})

test('a line of its own stays, and what is under way stands below it', () => {
  let text = ''
  const output = { isTTY: true, write: (more: string) => (text += more) }
  const progress = createProgress({ what: 'frames', total: 9, isSilent: false, output })
  progress.update(1, '10 fps')
  progress.say('connection lost')
  expect(text.endsWith('\r\u001B[Kconnection lost\n1/9 frames · 10 fps')).toBe(true)
})
