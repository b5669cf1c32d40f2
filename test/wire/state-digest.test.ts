import { expect, test } from 'vitest'
import { chained, emptyDigest, payloadDigest, shortDigest } from '../../src/wire/state-digest.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const ofFrames = (frames: readonly (readonly [number, string])[]) =>
  frames.reduce((digest, [seq, text]) => chained(digest, seq, payloadDigest(bytes(text))), emptyDigest)

/** Made with the tools of a shell: printf, sha256sum and xxd. */
const known = {
  payloadA: 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb',
  afterA: '23026b220d117085b35d8b5e7bbe204754f0eca2b0d80c2fefc83c97f7a5b228',
  afterAB: '114f9d8429f7910536452369298bdc8201d084b544d504b38f19a6edf9151deb'
}

test('the chain is that of PROTOCOL.md, bit for bit', () => {
  expect(payloadDigest(bytes('a'))).toBe(known.payloadA)
  expect(ofFrames([[7, 'a']])).toBe(known.afterA)
  const both = ofFrames([
    [7, 'a'],
    [2 ** 32 + 1, 'b']
  ])
  expect(both).toBe(known.afterAB)
  expect(shortDigest(both)).toBe(known.afterAB.slice(0, 32))
})

test('another payload, number or order is another digest', () => {
  const digests = [
    [],
    [[1, 'a']],
    [[2, 'a']],
    [[1, 'b']],
    [
      [1, 'a'],
      [2, 'b']
    ],
    [
      [1, 'b'],
      [2, 'a']
    ]
  ].map((frames) => ofFrames(frames as [number, string][]))
  expect(new Set(digests).size).toBe(digests.length)
})
