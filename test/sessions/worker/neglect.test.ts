import { expect, test } from 'vitest'
import { foundInCalm, neglected } from '../../../src/sessions/worker/neglect.ts'
import type { Findings, Served } from '../../../src/sessions/worker/neglect.ts'
import type { KeptSession } from '../../../src/sessions/session-store.ts'

/** What becomes of the session, and after how many looks; null if nothing. */
function fate(row: KeptSession | null, served: ReadonlyMap<string, Served>) {
  let before: Findings = new Map()
  for (let look = 1; look <= 20; look++) {
    const { closing, detaching, rowless, findings } = neglected({ kept: row ? [row] : [], served, before })
    if (closing.length + rowless.length > 0) return `ends ${look}`
    if (detaching.length > 0) return `kept ${look}`
    before = findings
  }
  return null
}

function row(gateway: KeptSession['gateway'], isMovingIn = false): KeptSession {
  return { id: 'a', token: 1, gateway, isMovingIn, state: 'attached', deviceBytes: 1, version: '' }
}

const unserved: ReadonlyMap<string, Served> = new Map()
const plain = new Map([['a', { token: 1, isResumable: false, isHeard: true, isAwaiting: false }]])
const resumable = new Map([['a', { token: 1, isResumable: true, isHeard: true, isAwaiting: false }]])
const unheard = new Map([['a', { token: 1, isResumable: true, isHeard: false, isAwaiting: false }]])
const awaiting = new Map([['a', { token: 1, isResumable: false, isHeard: true, isAwaiting: true }]])
const awaitingResumable = new Map([['a', { token: 1, isResumable: true, isHeard: true, isAwaiting: true }]])
const unheardBefore = new Map([['a', { token: 0, isResumable: true, isHeard: false, isAwaiting: false }]])

test.each([
  ['served, its gateway alive', row('alive'), plain, null],
  ['served, its gateway gone', row('gone'), plain, 'ends 5'],
  ['resumable, its gateway alive', row('alive'), resumable, null],
  ['resumable, its gateway gone', row('gone'), resumable, 'kept 5'],
  ['resumable, and its gateway cannot hear', row('alive'), unheard, 'kept 1'],
  ['resumable, and just taken by another gateway', row('alive'), unheardBefore, null],
  ['resumable, held by nobody', row('detached'), resumable, 'kept 1'],
  ['resumable, its grace over', row('expired'), resumable, 'ends 1'],
  ['served, left by its gateway', row('left'), resumable, 'ends 1'],
  ['left and not served', row('left'), unserved, 'ends 1'],
  ['not served', row('alive'), unserved, 'ends 10'],
  ['not served, held by nobody', row('detached'), unserved, 'ends 10'],
  ['not served, its gateway gone', row('gone'), unserved, 'ends 5'],
  ['not served, and moving here', row('alive', true), unserved, null],
  ['moved here, and its gateway does not come', row('alive'), awaiting, 'ends 10'],
  ['resumable, moved here, and its gateway does not come', row('alive'), awaitingResumable, 'kept 10'],
  ['served without a row', null, plain, 'ends 2']
] as const)('the fate of a session that is %s', (_, kept, served, expected) => {
  expect(fate(kept, served)).toBe(expected)
})

test('what is well at one look begins to count anew', () => {
  const first = neglected({ kept: [row('gone')], served: plain, before: new Map() })
  const second = neglected({ kept: [row('alive')], served: plain, before: first.findings })
  expect(neglected({ kept: [row('gone')], served: plain, before: second.findings }).closing).toEqual([])
})

test('while the store may lack much, nobody is given up, and what lacks a row has it soon all the same', () => {
  const looks = (kept: KeptSession[], served: ReadonlyMap<string, Served>) => {
    let before: Findings = new Map()
    for (let look = 1; look <= 20; look++) {
      const neglect = neglected({ kept, served, before })
      if (neglect.rowless.length > 0) return `written at ${look}`
      if (neglect.closing.length > 0) return `closed at ${look}`
      before = foundInCalm(neglect.findings)
    }
    return 'nothing'
  }
  expect(looks([], plain)).toBe('written at 2')
  expect(looks([row('gone')], plain)).toBe('nothing')
  expect(looks([row('alive')], unserved)).toBe('nothing')
})
