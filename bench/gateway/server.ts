/**
 * One side of the bench, in a process of its own: `gateway` or `bare`, and the bytes of a depth map. Says its port; told "cpu" or
 * "memory", answers with its own.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pino from 'pino'
import { Registry } from 'prom-client'
import { WebSocketServer } from 'ws'
import { openAccess } from '../../src/access/index.ts'
import { loadConfig } from '../../src/config.ts'
import { listen } from '../../src/gateway.ts'
import { embeddedSessions } from '../../src/sessions/index.ts'
import { MemoryUsageStore } from '../../src/usage/index.ts'
import { echoEngine, echoModel } from '../link/echo-engine.ts'
import { messageOf } from './wire.ts'

const [kind, depthBytes] = process.argv.slice(2)
const depth = messageOf('depth', Number(depthBytes))
const port = kind === 'gateway' ? await startGateway() : await startBare()
process.on('message', (asked) => process.send?.(asked === 'cpu' ? cpuMs() : memory()))
process.on('disconnect', () => process.exit())
process.send?.(port)

/** As `leadline serve` has it with its metrics, around an engine that answers at once. What frames use is counted by workers. */
async function startGateway(): Promise<number> {
  const log = pino({ level: 'silent' })
  const config = {
    ...loadConfig({ LEADLINE_AUTH: 'off', LEADLINE_MODEL: echoModel }),
    ...{ port: 0, maxConnections: 20_000, maxConnectionsPerAddress: 0, maxUnprovenPerAddress: 0 }
  }
  const metrics = new Registry()
  const [access, usage] = [await openAccess(config, log), new MemoryUsageStore()]
  const sessions = await embeddedSessions(echoEngine(depth), log, { ...config, metrics })
  const { url } = await listen(config, log, { access, usage, sessions, metrics })
  return Number(new URL(url).port)
}

/** `ws` with the gateway's own options, and nothing else. */
async function startBare(): Promise<number> {
  const server = createServer()
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 2 ** 26 })
  sockets.on('connection', (socket) => socket.on('message', () => socket.send(depth, { binary: true })))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Of this process so far. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** After garbage was collected, in bytes. */
function memory(): { rss: number; used: number } {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, used: heapUsed + external }
}
