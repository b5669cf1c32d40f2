import { startServer } from '../server.ts'
import { keyFor } from './server-key.ts'
import { serviceConfig, serviceLog } from './service-options.ts'

export interface ReachedServer {
  url: string
  /** What it is shown; null: nothing. */
  key: string | null
  close(): Promise<void>
}

export interface ServerOptions {
  url?: string | undefined
  keyFile?: string | undefined
  model?: string | undefined
}

/**
 * The server at `url`, with the key for it, or one of our own on a free port with `model` as its default, which `close`
 * stops. Its clips lie in a temporary folder, which goes with it.
 */
export async function serverAt({ url, model, ...options }: ServerOptions): Promise<ReachedServer> {
  if (url !== undefined) return { url, key: await keyFor(options), close: () => Promise.resolve() }
  const config = serviceConfig(model === undefined ? {} : { model }, {
    ...{ host: '127.0.0.1', port: 0, redisUrl: null, dataDir: null, auth: 'off' }
  })
  const isQuiet = process.env['LEADLINE_LOG_LEVEL'] === undefined
  return { key: null, ...(await startServer(config, serviceLog(isQuiet ? 'warn' : config.logLevel))) }
}
