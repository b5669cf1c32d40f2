/** `npm run conformance -- ws://HOST`: hold a running server to PROTOCOL.md, clause by clause. */
import { beyond } from './beyond.ts'
import { commandOf, Misuse, usage } from './command.ts'
import { conform } from './conform.ts'
import type { Counts } from './report.ts'
import { lastLine, lineOf } from './report.ts'

async function main(): Promise<number> {
  const command = await commandOf(process.argv.slice(2))
  if (command === null) {
    console.log(usage)
    return 0
  }
  const { target, wishes, isJson } = command
  const isForPeople = process.stdout.isTTY && !isJson
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  for await (const result of conform(target, wishes)) {
    counts[result.outcome]++
    console.log(isForPeople ? lineOf(result) : JSON.stringify(result))
  }
  const summary = { url: target.url.href, ...counts, beyond }
  console.log(isForPeople ? lastLine(counts) : JSON.stringify(summary))
  return counts.failed === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`conformance: ${(error as Error).message}`)
  process.exitCode = error instanceof Misuse ? 2 : 1
}
