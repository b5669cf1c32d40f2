import { expect, test } from 'vitest'
import { WarningLog } from '../../src/video/video-warning.ts'

test('a complaint is about the frames that the decoder may be at, and near ones are told together', () => {
  const log = new WarningLog()
  log.add(3, 'first')
  log.add(10, 'second')
  log.add(50, 'third')
  expect(log.among(1000)).toEqual([
    { firstFrame: 3, lastFrame: 26, detail: 'first' },
    { firstFrame: 50, lastFrame: 66, detail: 'third' }
  ])
})

test('no range leads beyond the last frame', () => {
  const log = new WarningLog()
  log.add(9, 'the end')
  expect(log.among(9)).toEqual([{ firstFrame: 8, lastFrame: 8, detail: 'the end' }])
})

test('a file that is damaged all over is told in a hundred ranges, the last of them to its end', () => {
  const log = new WarningLog()
  for (let frame = 0; frame < 100_000; frame += 100) log.add(frame, 'broken')
  const warnings = log.among(100_000)
  expect(warnings).toHaveLength(100)
  expect(warnings.at(-1)).toMatchObject({ firstFrame: 9900, lastFrame: 99_916 })
})
