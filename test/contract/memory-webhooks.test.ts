import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { describe, onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { openWebhooks } from '../../src/webhooks/index.ts'
import { quietLog } from '../helpers/quiet-log.ts'
import { webhooksSuite } from './webhooks.suite.ts'

describe('webhooks of one process, with secrets in a folder', () =>
  webhooksSuite(async ({ webhookNetworks, ...pace }) => {
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'leadline-test-'))
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
    return openWebhooks({ config: { ...loadConfig({}), dataDir, webhookNetworks }, log: quietLog(), ...pace })
  }))

describe('webhooks of a server that keeps nothing', () =>
  webhooksSuite(({ webhookNetworks, ...pace }) =>
    openWebhooks({ config: { ...loadConfig({}), port: 0, webhookNetworks }, log: quietLog(), ...pace })
  ))
