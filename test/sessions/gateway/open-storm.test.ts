import { expect, onTestFinished, test } from 'vitest'
import { embeddedSessions } from '../../../src/sessions/index.ts'
import { HashEngine, hashOptions } from '../../helpers/hash-engine.ts'
import { quietLog } from '../../helpers/quiet-log.ts'

/** An engine that opens when it is told to, and counts. */
class GatedEngine extends HashEngine {
  opening = 0
  mostAtOnce = 0
  letIn: () => void = () => undefined
  readonly #gate = new Promise<void>((resolve) => (this.letIn = resolve))

  override async open(...args: Parameters<HashEngine['open']>) {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.opening)
    await this.#gate
    this.opening--
    return super.open(...args)
  }
}

test('a storm of opens is let in little by little, and told to come back beyond what can wait', async () => {
  const engine = new GatedEngine(1e6)
  const sessions = await embeddedSessions(engine, quietLog())
  onTestFinished(() => sessions.close())
  const opens = Array.from({ length: 400 }, () => sessions.open(hashOptions, () => undefined))
  const settled = Promise.allSettled(opens)
  await expect.poll(() => engine.opening).toBe(32)
  engine.letIn()
  const outcomes = await settled
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(engine.mostAtOnce).toBe(32)
  expect(engine.sessions.size).toBe(400 - refused.length)
  expect(refused).toHaveLength(400 - 32 - 256)
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'NO_CAPACITY' })
})
