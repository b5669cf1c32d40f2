import { expect, test } from 'vitest'
import { Commands } from '../../src/client/commands.ts'

const update = (id: string) => ({ type: 'update', id, output: { format: 'jpeg' } }) as const

test('the last update that was answered is said again before all else, to every server', () => {
  const commands = new Commands()
  commands.add(update('a'), 1)
  commands.answered('update', 'a')
  commands.add({ type: 'flush', id: 'b' }, 2)
  commands.add(update('c'), 3)
  const said = () => commands.unheard(0).map(({ command, before }) => ['id' in command && command.id, before])
  expect(said()).toEqual([
    ['a', 0],
    ['b', 2],
    ['c', 3]
  ])
  commands.answered('update', 'c')
  expect(said()).toEqual([
    ['c', 0],
    ['b', 2]
  ])
})

test('a reset that a server has heard is not said again, one that it may not have is', () => {
  const commands = new Commands()
  for (const before of [2, 5]) commands.add({ type: 'reset' }, before)
  expect(commands.unheard(3).map(({ before }) => before)).toEqual([5])
  commands.reset()
  expect(commands.unheard(-1).map(({ before }) => before)).toEqual([5])
})
