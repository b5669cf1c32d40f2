import { readdirSync, readFileSync } from 'node:fs'

/** What a process and all below it have of the machine, by proc(5). What has ended counts nothing. */
export interface TreeShare {
  /** Memory without what they share with each other or with files (RssAnon). */
  bytes: number
  /** Processor time so far, in milliseconds; of children that have ended what their parents waited for. */
  cpuMs: number
}

/** The kernel's clock tick as user programs see it (USER_HZ), in milliseconds. */
const tickMs = 10

/** Memory of each process of a tree by what it runs, in MiB. For people. */
export function treeParts(pid: number): string[] {
  const command = read(`/proc/${pid}/cmdline`).split('\0').filter(Boolean).at(-1) ?? ''
  const name = command.split('/').slice(-2).join('/')
  const kib = Number(/^RssAnon:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
  return [`${name} ${Math.round(kib / 1024)}`, ...childrenOf(pid).flatMap(treeParts)]
}

export function treeShare(pid: number): TreeShare {
  const kib = Number(/^RssAnon:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
  const stat = read(`/proc/${pid}/stat`)
  // utime, stime, cutime, cstime: fields 14 to 17. The second, the name, is in parentheses and may hold anything.
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number)
  const own = { bytes: kib * 1024, cpuMs: ticks.reduce((a, b) => a + b, 0) * tickMs }
  return childrenOf(pid)
    .map(treeShare)
    .reduce((all, { bytes, cpuMs }) => ({ bytes: all.bytes + bytes, cpuMs: all.cpuMs + cpuMs }), own)
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number)
    )
  } catch {
    return []
  }
}

/** Empty for a process that has just ended. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
