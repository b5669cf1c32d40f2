import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'
import { FolderKeyStore } from '../../src/access/folder/folder-key-store.ts'
import { openAccess } from '../../src/access/index.ts'
import type { KeyStore } from '../../src/access/index.ts'
import { buildApp } from '../../src/api/index.ts'
import type { Config } from '../../src/config.ts'
import { loadConfig } from '../../src/config.ts'
import type { FrameEngine } from '../../src/frame-engine.ts'
import type { EmbeddedSessions } from '../../src/sessions/index.ts'
import { embeddedSessions } from '../../src/sessions/index.ts'
import { MemoryUsageStore, toldMeter } from '../../src/usage/index.ts'
import { fakeEngine, testModel } from './fake-engine.ts'

export interface TestApp {
  app: FastifyInstance
  sessions: EmbeddedSessions
  config: Config & { dataDir: string }
  /** Where its keys lie. */
  keys: KeyStore
  /** Lines of the log, parsed. */
  logged: Record<string, unknown>[]
  /** Listen on a free port; the base address. */
  listen(): Promise<string>
}

export interface TestAppOptions {
  config?: Partial<Config>
  /** Closed by whoever made it. @default the real engine on the fake executor */
  engine?: FrameEngine
  /** What GET /metrics shows. @default nothing of the engine */
  metrics?: Registry
  isAlive?: () => boolean
  /** @default that of a server */
  headersTimeoutMs?: number
  /** @default where the build puts the page */
  pageFolder?: string
}

/** The real gateway on the real embedded sessions, closed when the test ends. */
export async function testApp(options: TestAppOptions = {}): Promise<TestApp> {
  const made = await startTestApp(options)
  onTestFinished(made.close)
  return made
}

/** The same for a file whose tests share one gateway: close it in `afterAll`. */
export async function startTestApp(
  options: TestAppOptions = {}
): Promise<TestApp & { close: () => Promise<void> }> {
  const ownFolder = await mkdtemp(path.join(os.tmpdir(), 'leadline-test-'))
  const dataDir = options.config?.dataDir ?? ownFolder
  const config = { ...loadConfig({}), defaultModel: testModel, ...options.config, dataDir }
  const logged: Record<string, unknown>[] = []
  const metrics = options.metrics ?? new Registry()
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) })
  const usage = new MemoryUsageStore()
  const counting = toldMeter(usage, metrics, config.metricsPerKey)
  const sessions = await embeddedSessions(options.engine ?? fakeEngine(), log, {
    ...{ ...config, metrics, usage: counting }
  })
  const access = await openAccess(config, log)
  const { headersTimeoutMs, isAlive, pageFolder } = options
  const app = await buildApp({
    ...{ access, config, sessions, usage, metrics, log },
    ...(isAlive && { isAlive }),
    ...(headersTimeoutMs === undefined ? {} : { headersTimeoutMs }),
    ...(pageFolder === undefined ? {} : { pageFolder })
  })
  const close = async () => {
    await app.close()
    await sessions.close()
    await access.close()
    await rm(ownFolder, { recursive: true, force: true })
  }
  const keys = new FolderKeyStore(path.join(dataDir, 'keys'))
  return {
    app,
    sessions,
    config,
    keys,
    logged,
    close,
    listen: () => app.listen({ host: '127.0.0.1', port: 0 })
  }
}
