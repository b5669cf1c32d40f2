import { readdirSync, readFileSync } from 'node:fs'
import type { Look } from './hang.ts'

/** The kernel's clock tick as user programs see it (USER_HZ), in milliseconds. */
const tickMs = 10

/**
 * What Linux says of a process at this moment (proc(5)); null on other systems, and for a process that has ended. The
 * state of each thread counts: the main one sleeps while another computes.
 */
export function lookAtProcess(pid: number): Look | null {
  try {
    const [, userTicks, systemTicks] = readStat(`/proc/${pid}/stat`)
    const states = readdirSync(`/proc/${pid}/task`).map((id) => threadState(`/proc/${pid}/task/${id}/stat`))
    const threads = states.includes('R') ? 'runnable' : states.includes('D') ? 'blocked' : 'asleep'
    return { cpuMs: (userTicks + systemTicks) * tickMs, threads }
  } catch {
    return null
  }
}

/** Empty for a thread that has just ended. */
function threadState(path: string): string {
  try {
    return readStat(path)[0]
  } catch {
    return ''
  }
}

/** State, utime and stime: fields 3, 14 and 15. The second, the name, is in parentheses and may hold anything. */
function readStat(path: string): [state: string, userTicks: number, systemTicks: number] {
  const text = readFileSync(path, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return [fields[0]!, Number(fields[11]), Number(fields[12])]
}
