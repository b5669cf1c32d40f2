import { expect, test } from 'vitest'
import { neglected } from '../../../src/sessions/worker/neglect.ts'
import type { Findings } from '../../../src/sessions/worker/neglect.ts'
import type { KeptSession } from '../../../src/sessions/session-store.ts'

/** Looks after which the session is to be closed or given up; null if never. */
function looksUntil(row: KeptSession | null, isServed: boolean): number | null {
  let before: Findings = new Map()
  for (let look = 1; look <= 20; look++) {
    const kept = row ? [row] : []
    const { closing, rowless, findings } = neglected({ kept, served: new Set(isServed ? ['a'] : []), before })
    if (closing.length + rowless.length > 0) return look
    before = findings
  }
  return null
}

function row(gateway: KeptSession['gateway'], isMovingIn = false): KeptSession {
  return { id: 'a', token: 1, gateway, isMovingIn }
}

test.each([
  ['served, its gateway alive', row('alive'), true, null],
  ['served, its gateway gone', row('gone'), true, 2],
  ['served, left by its gateway', row('left'), true, 1],
  ['left and not served', row('left'), false, 1],
  ['served, held by nobody', row('detached'), true, null],
  ['served, held by nobody for too long', row('expired'), true, 1],
  ['not served yet, moving in', row('alive', true), false, null],
  ['not served', row('alive'), false, 10],
  ['served without a row', null, true, 2]
] as const)('a session that is %s ends after its number of looks', (_, kept, isServed, looks) => {
  expect(looksUntil(kept, isServed)).toBe(looks)
})

test('what is well at one look begins to count anew', () => {
  const served = new Set(['a'])
  const first = neglected({ kept: [row('gone')], served, before: new Map() })
  const second = neglected({ kept: [row('alive')], served, before: first.findings })
  expect(neglected({ kept: [row('gone')], served, before: second.findings }).closing).toEqual([])
})
