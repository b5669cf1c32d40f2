import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sessionArrows, sessionStates } from '../../src/sessions/session-states.ts'
import type { SessionArrow, SessionState } from '../../src/sessions/session-states.ts'
import type { Call, PlainName } from './session-model.ts'
import { sessionIds, Walk } from './session-walk.ts'
import type { CallStep, Step, WorkerStep, World } from './session-walk.ts'

const plainNames: PlainName[] = [
  ...(['leaveSession', 'closeSession', 'confirmSession', 'detachSession'] as const),
  ...(['abortMove', 'parkSession', 'loseSession'] as const)
]
const otherNames: Call['name'][] = [
  ...(['openSession', 'settleSession', 'touchSession', 'unparkSession'] as const),
  ...(['takeSession', 'replaceSession', 'beginMove', 'commitMove'] as const),
  ...(['restoreSession', 'restoreLost'] as const)
]
/** How often an answer is lost, so that the call is sent again at once. */
const sends = fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(2) })

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      ...{ kind: fc.constant('call' as const), sends },
      name: fc.constantFrom(...plainNames, ...otherNames, 'openSession' as const, 'takeSession' as const),
      ...{
        session: fc.nat(sessionIds.length - 1),
        worker: fc.nat(2),
        gateway: fc.nat(1),
        bytes: fc.nat(160)
      },
      tokenBy: fc.constantFrom(0, 0, 0, 0, -1, 1),
      hash: fc.constantFrom(0, 0, 1, 1, 2),
      isPlain: fc.constantFrom(false, false, false, true)
    })
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('again' as const), back: fc.nat(11), sends }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('worker' as const),
      act: fc.constantFrom(
        ...([
          'register',
          'return',
          'return',
          'renew',
          'renew',
          'keep',
          'keep',
          'lapse',
          'reap',
          'remove'
        ] as const)
      ),
      ...{ worker: fc.nat(2), isDraining: fc.boolean() }
    })
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('gateway' as const), gateway: fc.nat(1), isGone: fc.boolean() })
  }
)

function call(name: Call['name'], over: Partial<CallStep> = {}): CallStep {
  return {
    ...{ kind: 'call', name, session: 0, worker: 0, gateway: 0, bytes: 100, tokenBy: 0, hash: 0 },
    ...{ isPlain: false, sends: 1 },
    ...over
  }
}

function worker(act: WorkerStep['act'], index = 0): WorkerStep {
  return { kind: 'worker', act, worker: index, isDraining: false }
}

const attached = [call('openSession'), call('settleSession')]
/** How a session gets there. */
const ways: Record<SessionState, Step[]> = {
  opening: [call('openSession')],
  attached,
  detached: [...attached, call('detachSession')],
  moving: [...attached, call('beginMove', { worker: 1 })],
  parked: [...attached, call('parkSession')],
  leaving: [...attached, call('leaveSession')],
  lost: [...attached, worker('lapse'), worker('reap')]
}

async function startWalk(world: World): Promise<Walk> {
  const walk = new Walk(world)
  for (const index of [0, 1, 2]) await walk.step(worker('register', index))
  return walk
}

/** Every change, in every order, also sent again at once and late, against the one model. */
export function sessionWalkSuite(name: string, makeWorld: () => Promise<World>): void {
  describe(`${name} session store`, () => {
    test.each(sessionStates)(
      'lets a session that is %s go where its arrows lead, and nowhere else',
      async (from) => {
        const arrows = Object.keys(sessionArrows) as SessionArrow[]
        for (const arrow of arrows) {
          const walk = await startWalk(await makeWorld())
          for (const step of ways[from]) await walk.step(step)
          expect(walk.model.rows.get(sessionIds[0]!)?.state).toBe(from)
          if (arrow === 'commitMove' && from === 'parked') await walk.step(call('beginMove', { worker: 1 }))
          if (arrow === 'replaceSession') await walk.step(worker('lapse'))
          if (arrow === 'restoreSession') await walk.step(worker('return'))
          await walk.step(call(arrow, { worker: from === 'moving' ? 1 : 2, sends: 2 }))
          // A lease that ran out and comes back counts what is still there.
          await walk.step(worker('renew'))
          const to: SessionState | 'closed' = sessionArrows[arrow][from as never] ?? from
          expect([arrow, walk.model.rows.get(sessionIds[0]!)?.state ?? 'closed']).toEqual([arrow, to])
        }
      }
    )

    test('follows the table of arrows on every walk', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { minLength: 20, maxLength: 80 }), async (steps) => {
          const walk = await startWalk(await makeWorld())
          for (const step of steps) await walk.step(step)
        }),
        { numRuns: 60 }
      )
    }, 120_000)
  })
}
