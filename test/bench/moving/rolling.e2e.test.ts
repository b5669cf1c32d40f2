import { expect, onTestFinished, test } from 'vitest'
import { startLiveCell } from '../../../bench/moving/live-cell.ts'
import { roll } from '../../../bench/moving/roll.ts'
import { closeViewers } from '../../../bench/moving/viewers.ts'

/** `npm run bench rolling` does so with fifty sessions, and measures. */
const sessions = 4

test(
  'nothing is lost while every worker and every gateway is replaced, one after the other',
  { timeout: 300_000 },
  async () => {
    const exits: string[] = []
    const { cell, viewers } = await startLiveCell({
      ...{ sessions, workers: 2 },
      onExit: (what) => exits.push(what)
    })
    onTestFinished(() => cell.close())
    const moves = (): number[] => viewers.map(({ continuities }) => continuities.length)
    const names: string[] = []
    for await (const { name } of roll(cell, viewers)) names.push(name)
    expect(names).toEqual(['worker0', 'worker1', 'gateway0', 'gateway1'])
    const moved = moves()
    const frames = viewers.map(({ sent }) => sent)
    expect(await closeViewers(viewers)).toEqual({ sessions: 0, frames: 0, disordered: 0, inexact: 0 })
    expect(exits).toEqual([])
    // So that a time in which nothing was sent, or nobody had to move, does not pass.
    expect(Math.min(...frames)).toBeGreaterThan(10)
    expect(Math.min(...moved)).toBeGreaterThan(0)
  }
)
