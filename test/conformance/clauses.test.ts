import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { beyond } from '../../conformance/beyond.ts'
import { checks } from '../../conformance/conform.ts'
import { clauses, clausesOf } from '../../conformance/contract.ts'
import { protocolPage, section } from '../contract/protocol-page.ts'

const tests = path.dirname(import.meta.dirname)
const tried = new Set(checks.map(({ clause }) => clause))

/** Tests of this project that show what nobody can try from outside: a file, and the title of a test in it. */
const anew = 'is rebuilt from what its client sends again, where its gateway is lost as well'
const leaving = 'a gateway that leaves takes nothing with it: its streams go on at the other one'
const shownHere: Record<string, [file: string, title: string]> = {
  M23: ['contract/lost-take-over.suite.ts', anew],
  M24: ['contract/parking.suite.ts', 'a full worker takes a newcomer, and parks who is idle for longest'],
  M25: ['api/two-gateways.test.ts', leaving],
  M31: [
    'api/adaptive.test.ts',
    'a client that asks for it is told how fast to send before any frame is dropped'
  ],
  R4: [
    'sessions/worker/owed-outcomes.test.ts',
    'a client that never acknowledges cannot come back from where'
  ],
  F4: ['api/stream/connection-flow.test.ts', 'a socket that stays stuck is given up as a slow consumer'],
  X8: ['contract/lost-worker.suite.ts', 'ends with an error for each frame when no worker takes it in time'],
  X11: ['contract/moving.suite.ts', 'flushes and resets keep their place, and so do outcomes that'],
  X12: ['contract/moving.suite.ts', 'a move crosses resumes, whenever they come: nothing is lost'],
  X14: ['api/two-gateways.test.ts', leaving],
  X18: ['contract/lost-take-over.suite.ts', anew],
  X19: [
    'contract/lost-take-over.suite.ts',
    'is not given up while nobody has noted yet that the worker is gone'
  ]
}

test('every clause of PROTOCOL.md has one name, and names are counted through', () => {
  expect(new Set(clauses).size).toBe(clauses.length)
  for (const letter of 'CBMRFEX') {
    const numbers = clauses.filter((name) => name.startsWith(letter)).map((name) => Number(name.slice(1)))
    expect(numbers, letter).toEqual(numbers.map((_, at) => at + 1))
    expect(numbers.length, letter).toBeGreaterThan(1)
  }
})

test('every clause is tried by the conformance suite, or said to be beyond it and why', () => {
  expect([...tried].filter((name) => !clauses.includes(name))).toEqual([])
  expect(Object.keys(beyond).filter((name) => !clauses.includes(name) || tried.has(name))).toEqual([])
  expect(clauses.filter((name) => !tried.has(name) && !Object.hasOwn(beyond, name))).toEqual([])
  for (const why of Object.values(beyond)) expect(why).toMatch(/\w+ \w+ \w+/)
})

test('nothing binds that is not in a clause', () => {
  const binding = [
    '## Communication: what always holds',
    '## Binary messages',
    '## Messages',
    '## Resuming',
    '## Flow'
  ]
  const loose = binding.map(section).flatMap((text) => {
    const first = text.search(/^(?:- |\d+\. )?\[[A-Z]\d+\] |^1\. /m)
    return text.slice(0, first).match(/^.*\bMUST\b.*$/gm) ?? []
  })
  expect(loose).toEqual([])
  // The headings of messages end what came before them: whatever binds in one has a name there.
  const messages = section('## Messages').split(/^### /m).slice(1)
  for (const text of messages) expect(text, text.slice(0, 40)).toMatch(/^\[M\d+\] /m)
  expect(protocolPage.match(/\bMUST\b/g)?.length).toBeGreaterThan(8)
})

test('a page without a clause has none', () => {
  expect(clausesOf('# A page\n\n[M1] is not at the start of a line here: [M2] text\n')).toEqual(['M1'])
})

test.each(Object.keys(beyond))(
  '%s, which is beyond the suite, is shown by a test of this project',
  (name) => {
    const [file, title] = shownHere[name] ?? expect.fail(`${name} is shown nowhere`)
    expect(readFileSync(path.join(tests, file), 'utf8')).toContain(title)
  }
)
