import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import type { Look } from '../../../../src/inference/executors/process/hang.ts'
import { lookAtProcess } from '../../../../src/inference/executors/process/look-at-process.ts'
import { Watchdog } from '../../../../src/inference/executors/process/watchdog.ts'

const onLinux = test.skipIf(process.platform !== 'linux')

/** A process that runs the code once it has said so. */
async function running(code: string): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, ['-e', `require('fs').writeSync(1, 'here'); ${code}`])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child as ChildProcess & { pid: number }
}

const spins = 'for (;;);'
const waits = 'setInterval(() => undefined, 1e6)'

function verdictOn(pid: number, usual = { wallMs: 10, cpuMs: 10 }): Promise<string> {
  return new Promise((resolve) => {
    const watchdog = new Watchdog({ look: () => lookAtProcess(pid), onHang: resolve })
    onTestFinished(() => watchdog.close())
    watchdog.watch({ usual })
  })
}

onLinux('a process that spins for good is found by the processor time it uses', async () => {
  const { pid } = await running(spins)
  expect(await verdictOn(pid)).toMatch(/ms of processor time more than the usual 10 ms/)
})

onLinux('a process that waits for nothing is found', async () => {
  const { pid } = await running(waits)
  expect(await verdictOn(pid)).toMatch(/did nothing for \d+ ms, asleep/)
})

onLinux('a process that is stopped in the middle of its work is found', async () => {
  const { pid } = await running(spins)
  process.kill(pid, 'SIGSTOP')
  expect(await verdictOn(pid)).toMatch(/did nothing/)
})

onLinux('a process at work is seen at it, one that has ended is not seen', async () => {
  const child = await running(spins)
  const before = lookAtProcess(child.pid)
  expect(before?.threads).toBe('runnable')
  await expect.poll(() => lookAtProcess(child.pid)!.cpuMs, { timeout: 90_000 }).toBeGreaterThan(before!.cpuMs)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(lookAtProcess(child.pid)).toBeNull()
})

test('a call that may take any time is not found while it works, and is when it stops', async () => {
  let looks = 0
  const why = await new Promise<string>((resolve) => {
    const look = (): Look => ({ cpuMs: Math.min(++looks, 12) * 10_000, threads: 'asleep' })
    const watchdog = new Watchdog({ look, onHang: resolve })
    onTestFinished(() => watchdog.close())
    watchdog.watch({ stillMs: 350 })
  })
  expect(why).toMatch(/did nothing for \d+ ms, asleep/)
  expect(looks).toBeGreaterThan(12)
})
