import { expect, onTestFinished, test } from 'vitest'
import { identity } from '../../../src/maps/affine-map.ts'
import { decodeMessage, flags } from '../../../src/wire/frame.ts'
import { guideOfRgb } from '../../../src/maps/guide.ts'
import { guidedRows } from '../../../src/maps/guided-rows.ts'
import { PixelPool } from '../../../src/inference/pixels/pixel-pool.ts'
import type { SessionConfig, SessionEvent } from '../../../src/session.ts'
import { fakeEngine, openSession } from '../fake-engine.ts'
import { frameOf, patches } from '../frames.ts'

const source = { width: 112, height: 84 }
const refined = { output: { format: 'f32', size: 'source', refine: true } } as const
const numFrames = 40

/** Frame 7 shows nothing. */
const pixelsOf = (seq: number) =>
  seq === 7 ? new Uint8Array(source.width * source.height * 3).fill(90) : patches(seq, source)

function mapsOf(events: readonly SessionEvent[]) {
  return events.flatMap((event) => {
    if (event.type !== 'result') return []
    const { header, payload } = decodeMessage(event.message)
    return [{ header, depth: new Float32Array(new Uint8Array(payload).buffer) }]
  })
}

test.each([
  ['ovda', {}],
  ['ovda', { stabilize: true }],
  ['vda-stream', {}],
  ['single', {}],
  ['vda-window', {}]
] as const)('%s %o: each map is that of the network, refined along its own frame', async (mode, wishes) => {
  const pool = new PixelPool()
  const engine = fakeEngine({ pixels: pool })
  onTestFinished(async () => {
    await engine.closeAll()
    await pool.close()
  })
  const run = async (id: string, config: SessionConfig) => {
    const session = await openSession(engine, id, { delivery: 'lossless', ...wishes, ...config }, mode)
    for (let seq = 0; seq < numFrames; seq++) session.submit(frameOf(seq, 'rgb24', pixelsOf(seq), source))
    await session.flush()
    return mapsOf(session.events)
  }
  const [network, sharp] = [await run('network', {}), await run('sharp', refined)]
  expect(sharp).toHaveLength(numFrames)
  for (const [seq, { header, depth }] of sharp.entries()) {
    const own = network[seq]!
    expect(header).toMatchObject({ seq, ...source, flags: own.header.flags })
    const expected = new Float32Array(source.width * source.height)
    const guide = guideOfRgb(pixelsOf(seq), source)
    guidedRows(own.depth, own.header, guide, identity)(0, source.height, expected)
    // The stabiliser's line was applied to the one map before it was refined, to the other after it was stored.
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - depth[i]!)), 0)
    expect(worst, `frame ${seq}`).toBeLessThan(1e-4)
  }
  expect(sharp[7]!.header.flags & flags.blank).not.toBe(0)
})
