import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryReservations } from '../../../src/inference/engine/memory-reservations.ts'

test('a session that does not fit is refused, with the numbers', () => {
  const slots = new MemoryReservations(1000)
  slots.reserve('a', 700)
  expect(() => slots.reserve('b', 301)).toThrow(
    expect.objectContaining({
      code: 'NO_CAPACITY',
      message: 'The session needs 301 bytes of device memory; 300 of 1000 are free (1 sessions are open)'
    })
  )
  slots.reserve('b', 300)
  expect(slots.reservedBytes).toBe(1000)
})

test('freeing twice, or what was never reserved, gives nothing back', () => {
  const slots = new MemoryReservations(1000)
  slots.reserve('a', 600)
  slots.reserve('b', 400)
  slots.free('a')
  slots.free('a')
  slots.free('c')
  expect(slots.reservedBytes).toBe(400)
})

test('whatever is opened and closed, the bytes held are those of the open sessions and never above capacity', () => {
  const operations = fc.array(fc.tuple(fc.nat(9), fc.nat(500)))
  fc.assert(
    fc.property(operations, (list) => {
      const slots = new MemoryReservations(1000)
      const open = new Map<string, number>()
      for (const [id, bytes] of list) {
        const name = String(id)
        if (open.delete(name)) slots.free(name)
        else if (bytes <= 1000 - slots.reservedBytes) {
          slots.reserve(name, bytes)
          open.set(name, bytes)
        } else expect(() => slots.reserve(name, bytes)).toThrow(/device memory/)
        expect(slots.reservedBytes).toBe([...open.values()].reduce((sum, held) => sum + held, 0))
      }
    })
  )
})
