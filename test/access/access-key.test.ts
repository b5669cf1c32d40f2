import { expect, test } from 'vitest'
import { isValueOf, keyIdOf, keyState, mintKey, parseKey } from '../../src/access/access-key.ts'

const wish = { name: 'camera', scopes: ['stream'] as const, limits: { sessions: 4 }, expiresAtMs: 5000 }

test('a key is known by its value, and by no other', () => {
  const { key, value } = mintKey(wish, 1000)
  const other = mintKey(wish, 1000)
  expect(value).toMatch(/^lk_[0-9a-f]{16}_[\w-]{43}$/)
  expect(keyIdOf(value)).toBe(key.id)
  expect(isValueOf(value, key)).toBe(true)
  expect(isValueOf(other.value, key)).toBe(false)
  expect(isValueOf(`${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`, key)).toBe(false)
  expect(isValueOf(value, null)).toBe(false)
  expect(JSON.stringify(key)).not.toContain(value.slice(20))
})

test.each([
  '',
  'lk_',
  'x'.repeat(63),
  `lk_${'g'.repeat(16)}_${'a'.repeat(43)}`,
  `lk_${'a'.repeat(16)}_${'a'.repeat(44)}`
])('%j is no value of a key', (value) => expect(keyIdOf(value)).toBeNull())

test('a key counts from its making to its end, unless it is revoked', () => {
  const { key } = mintKey(wish, 1000)
  expect([1000, 4999, 5000].map((at) => keyState(key, at))).toEqual(['valid', 'valid', 'expired'])
  expect(keyState({ ...key, expiresAtMs: null }, Number.MAX_SAFE_INTEGER)).toBe('valid')
  expect(keyState({ ...key, revokedAtMs: 1001 }, 1001)).toBe('revoked')
})

test('what is no row of a key is not read as one', () => {
  const { key } = mintKey(wish, 1000)
  expect(parseKey(JSON.stringify(key))).toEqual(key)
  for (const text of [
    '',
    '[]',
    '{}',
    JSON.stringify({ ...key, hash: 'x' }),
    JSON.stringify({ ...key, scopes: ['all'] })
  ])
    expect(parseKey(text)).toBeNull()
})
