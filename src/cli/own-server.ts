import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { startServer } from '../server.ts'
import { serviceConfig, serviceLog } from './service-options.ts'

export interface OwnServer {
  url: string
  close(): Promise<void>
}

/**
 * The server at `url`, or one of our own on a free port with `model` as its default, which `close` stops. It keeps its
 * clips in a folder of its own, so that it never meets those of another server on this machine.
 */
export async function serverAt(url: string | undefined, model: string | undefined): Promise<OwnServer> {
  if (url !== undefined) return { url, close: () => Promise.resolve() }
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'leadline-'))
  const removeData = () => rm(dataDir, { recursive: true, force: true })
  try {
    const config = serviceConfig(model === undefined ? {} : { model }, {
      ...{ host: '127.0.0.1', port: 0, redisUrl: null, dataDir }
    })
    const isQuiet = process.env['LEADLINE_LOG_LEVEL'] === undefined
    const server = await startServer(config, serviceLog(isQuiet ? 'warn' : config.logLevel))
    return { url: server.url, close: () => server.close().finally(removeData) }
  } catch (error) {
    await removeData()
    throw error
  }
}
