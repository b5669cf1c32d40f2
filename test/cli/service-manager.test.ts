import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { serviceManager } from '../../src/cli/service-manager.ts'
import { temporaryFolder } from '../video/clip-file.ts'
import { startListening } from './leadline-process.ts'

const timeout = 120_000

/** A service manager that says what it is told. */
async function startManager(): Promise<{ socket: string; told(message: string): Promise<void> }> {
  const socket = path.join(await temporaryFolder(), 'notify')
  const child = spawn('python3', [path.join(import.meta.dirname, 'notify-socket.py'), socket], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const heard: string[] = []
  const lines = createInterface(child.stdout).on('line', (line) => heard.push(line))
  const told = async (message: string): Promise<void> => {
    while (!heard.includes(message)) await once(lines, 'line')
    heard.splice(0, heard.indexOf(message) + 1)
  }
  await told('listening')
  return { socket, told }
}

test(
  'a service manager hears when a server is ready, that it lives, and that it stops',
  { timeout },
  async () => {
    const { socket, told } = await startManager()
    const server = await startListening(['serve'], { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' })
    await told('READY=1')
    await told('WATCHDOG=1')
    await told('WATCHDOG=1')
    server.child.kill('SIGTERM')
    await told('STOPPING=1')
    expect(await server.exited).toBe(0)
  }
)

test('a watchdog is not fed while the executor is gone', { timeout }, async () => {
  const { socket, told } = await startManager()
  // libsystemd reads it from the process itself.
  process.env['NOTIFY_SOCKET'] = socket
  onTestFinished(() => void delete process.env['NOTIFY_SOCKET'])
  const manager = serviceManager({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '20000' })
  let looks = 0
  manager?.ready(() => (looks += 1) > 3)
  await told('WATCHDOG=1')
  expect(looks).toBeGreaterThan(3)
  manager?.stopping()
})

test('without a service manager there is nobody to tell', () => {
  expect(serviceManager({})).toBeNull()
})
