import { expect, test } from 'vitest'
import { nextToMove } from '../../../../src/sessions/worker/moving/next-to-move.ts'

const candidate = (name: string, idleMs: number, framesInFlight = 0) => ({
  name,
  movable: { idleMs, framesInFlight }
})

test('the idle move first, then whose frame has just had its outcome, then those with the fewest frames in flight', () => {
  const waiting = [
    candidate('two in flight', 0, 2),
    candidate('between two frames', 70),
    candidate('one in flight, for long', 5000, 1),
    candidate('idle', 3000),
    candidate('parked', Infinity),
    candidate('just answered', 5),
    candidate('parked as well', Infinity)
  ]
  const order: string[] = []
  for (let next = nextToMove(waiting); next; next = nextToMove(waiting)) {
    order.push(next.name)
    waiting.splice(waiting.indexOf(next), 1)
  }
  expect(order).toEqual([
    ...['parked', 'parked as well', 'idle', 'just answered', 'between two frames'],
    ...['one in flight, for long', 'two in flight']
  ])
})
