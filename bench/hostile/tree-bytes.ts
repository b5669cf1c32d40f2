import { readdirSync, readFileSync } from 'node:fs'

/** Memory of a process and all below it, without what they share with each other or with files (proc(5), RssAnon). */
export function treeBytes(pid: number): number {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number)
  )
  const kib = Number(/^RssAnon:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
  return children.reduce((sum, child) => sum + treeBytes(child), kib * 1024)
}

/** Empty for a process that has just ended. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
