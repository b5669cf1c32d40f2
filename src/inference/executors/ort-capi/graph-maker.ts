import { Piscina } from 'piscina'
import { entryBeside } from '../../../machine/entry-beside.ts'
import { LeadlineError } from '../../../errors.ts'
import type { Plan } from '../../executor.ts'
import type { StageGraph } from '../../graph/window-graphs.ts'
import type { GraphAnswer, GraphTask, GraphWays } from './graph-thread.ts'

/**
 * The graphs of one plan, from its weights, which are read and checked: seconds of work for a large network, on a thread of
 * its own, so that other networks step meanwhile. One graph at a time, since each has all weights. Whoever made it closes it.
 */
export class GraphMaker {
  readonly #plan: Plan
  readonly #ways: GraphWays
  readonly #thread: Piscina<GraphTask, GraphAnswer>

  constructor(plan: Plan, ways: GraphWays) {
    this.#plan = plan
    this.#ways = ways
    const { path, execArgv } = entryBeside(import.meta.url, 'graph-thread')
    this.#thread = new Piscina({ filename: path, execArgv, minThreads: 1, maxThreads: 1 })
  }

  /** Of a step of so many rows. Throws MODEL_FILE_INVALID, MODEL_MODE_UNSUPPORTED. */
  async step(batch: number): Promise<Uint8Array> {
    const answer = await this.#ask(batch)
    if (!('step' in answer)) throw new LeadlineError('INTERNAL', 'The thread gave no step')
    return answer.step
  }

  /** Of mode vda-window. Throws as `step` does. */
  async stages(): Promise<StageGraph[]> {
    const answer = await this.#ask(null)
    if (!('stages' in answer)) throw new LeadlineError('INTERNAL', 'The thread gave no stages')
    return answer.stages
  }

  /** Twice without harm. */
  async close(): Promise<void> {
    await this.#thread.destroy()
  }

  async #ask(batch: number | null): Promise<Exclude<GraphAnswer, { code: unknown }>> {
    const answer = await this.#thread.run({ plan: this.#plan, ways: this.#ways, batch })
    if ('code' in answer) throw new LeadlineError(answer.code, answer.detail)
    return answer
  }
}
