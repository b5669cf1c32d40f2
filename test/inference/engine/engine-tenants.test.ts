import { expect, onTestFinished, test } from 'vitest'
import { sessionOptions } from '../../../src/session.ts'
import { fakeEngine } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const size = { width: 56, height: 28 }
const framesEach = 8

test('a key with one session has every second step while another key has six', async () => {
  const engine = fakeEngine({ fake: { maxBatch: 1 } })
  onTestFinished(() => engine.closeAll())
  const order: string[] = []
  const options = sessionOptions({ delivery: 'lossless', mode: 'single' }, 'fake')
  const names = ['many', 'many', 'many', 'many', 'many', 'many', 'one'].map((tenant, i) => ({
    ...{ tenant, id: `${tenant} ${i}` }
  }))
  for (const { tenant, id } of names)
    await engine.open(id, options, ({ type }) => type === 'result' && order.push(tenant), { tenant })
  for (let seq = 0; seq < framesEach; seq++)
    for (const { id } of names) engine.submit(id, frameOf(seq, 'rgb24', patches(seq, size), size))
  await expect.poll(() => order.length).toBe(names.length * framesEach)
  // By sessions it would be done with the last seven.
  expect(order.lastIndexOf('one')).toBeLessThan(order.length - names.length)
})
