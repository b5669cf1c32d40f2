import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClauseResult } from '../../conformance/conform.ts'
import { conform } from '../../conformance/conform.ts'
import { startTestApp } from '../helpers/build-app.ts'
import type { Passing, Tampering } from './tampering-proxy.ts'
import { tamperingProxy } from './tampering-proxy.ts'

let app: Awaited<ReturnType<typeof startTestApp>>
let url: string
beforeAll(async () => {
  app = await startTestApp()
  url = await app.listen()
})
afterAll(() => app.close())

async function resultsThrough(tampering: Tampering, patienceMs: number, only: string[]) {
  const proxy = await tamperingProxy(url, tampering)
  const results: ClauseResult[] = []
  const target = { url: proxy, key: null, model: null, patienceMs }
  for await (const result of conform(target, { only, isSlow: false })) results.push(result)
  return results
}

type Change = (message: Passing) => Passing[]

/** Each depth map changed. */
function depth(change: (view: DataView) => void): Tampering {
  return each((message) => {
    if (!message.isBinary) return [message]
    const data = Buffer.from(message.data)
    change(new DataView(data.buffer, data.byteOffset, data.byteLength))
    return [{ ...message, data }]
  })
}

/** Each control message of a type changed; null: left out. */
function told(type: string, change: (message: Record<string, unknown>) => object | null): Tampering {
  return each((message) => {
    if (message.isBinary) return [message]
    const said = JSON.parse(message.data.toString()) as Record<string, unknown>
    const changed = said.type === type ? change(said) : said
    return changed === null ? [] : [{ ...message, data: Buffer.from(JSON.stringify(changed)) }]
  })
}

function each(change: Change): Tampering {
  return { told: () => change }
}

function swapping(): Change {
  let held: Passing | null = null
  return (message) => {
    if (!message.isBinary) return held === null ? [message] : [message, ...taken()]
    if (held !== null) return [message, ...taken()]
    held = message
    return []
  }
  function taken(): Passing[] {
    const one = held
    held = null
    return one === null ? [] : [one]
  }
}

const broken: [what: string, clause: string, tampering: Tampering][] = [
  ['doubles outcomes', 'C5', each((message) => (message.isBinary ? [message, message] : [message]))],
  ['swaps outcomes', 'C5', { told: swapping }],
  ['loses drops', 'C5', told('drop', () => null)],
  ['invents outcomes', 'C5', depth((view) => view.setBigUint64(8, 777n, true))],
  ['answers before its turn', 'M27', told('pong', () => ({ type: 'pong', id: 'other' }))],
  ['loses clocks', 'B2', depth((view) => view.setBigUint64(16, 0n, true))],
  ['says first of every depth map', 'B4', depth((view) => view.setUint16(6, 1, true))],
  ['shifts values', 'B5', depth((view) => view.setFloat32(40, view.getFloat32(40, true) + 1, true))],
  ['begins no epoch', 'X7', depth((view) => view.setUint32(24, 1, true))],
  ['miscounts', 'M28', told('summary', (said) => ({ ...said, drops: 3 }))],
  ['makes digests up', 'M16', told('flushed', (said) => ({ ...said, digest: '0'.repeat(32) }))],
  ['forgets a limit', 'M3', told('ready', ({ limits: _, ...said }) => said)],
  [
    'claims more than it has',
    'R2',
    told('ready', (said) => ({ ...said, resumed: { ...(said.resumed as object), after: 9 } }))
  ],
  ['closes with other codes', 'C7', { close: () => [4000, Buffer.from('Sorry')] }],
  ['calls everything temporary', 'E1', told('error', (said) => ({ ...said, temporary: true }))],
  ['gives credit away', 'F3', told('drop', (said) => ({ ...said, reason: 'closed' }))]
]

test.each(broken)('a server that %s is caught by %s', async (_, clause, tampering) => {
  const [result] = await resultsThrough(tampering, 3000, [clause])
  expect(result).toMatchObject({ clause, outcome: 'failed' })
  expect(result?.checks.some(({ outcome, detail }) => outcome === 'failed' && /\w/.test(detail ?? ''))).toBe(
    true
  )
})

test('the same clauses hold of the same server through a proxy that changes nothing', async () => {
  const clauses = [...new Set(broken.map(([, clause]) => clause))]
  const results = await resultsThrough({}, 90_000, clauses)
  expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(results.map(({ clause }) => clause).toSorted()).toEqual(clauses.toSorted())
})
