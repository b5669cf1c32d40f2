import { expect, test } from 'vitest'
import { AddressGate } from '../../src/access/index.ts'
import type { AddressHold } from '../../src/access/index.ts'

function entered(gate: AddressGate, address: string): AddressHold {
  const hold = gate.enter(address)
  if (typeof hold === 'string') throw new Error(`refused for its ${hold}`)
  return hold
}

test('an address has so many connections at once, and another has its own', () => {
  const gate = new AddressGate({ connections: 2, unproven: 0 })
  const first = entered(gate, '192.0.2.1')
  entered(gate, '::ffff:192.0.2.1')
  expect(gate.enter('192.0.2.1')).toBe('connections')
  entered(gate, '192.0.2.2')
  first.leave()
  first.leave()
  entered(gate, '192.0.2.1')
  expect(gate.enter('192.0.2.1')).toBe('connections')
})

test('of those that have shown nothing it has fewer, and one that does makes room', () => {
  const gate = new AddressGate({ connections: 10, unproven: 1 })
  const first = entered(gate, '2001:db8::1')
  expect(gate.enter('2001:db8::2')).toBe('unproven')
  first.prove()
  first.prove()
  const second = entered(gate, '2001:db8::2')
  expect(gate.enter('2001:db8::3')).toBe('unproven')
  second.leave()
  entered(gate, '2001:db8::3')
})

test('nothing is kept of an address that has gone, whether or not it has shown anything', () => {
  const gate = new AddressGate({ connections: 0, unproven: 0 })
  for (let i = 0; i < 1000; i++) {
    const hold = entered(gate, `198.51.100.${i % 256}`)
    if (i % 2 === 0) hold.prove()
    hold.leave()
    hold.prove()
  }
  expect(gate.size).toBe(0)
})
