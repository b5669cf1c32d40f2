import { startServer } from '../server.ts'
import { serviceConfig, serviceLog } from './service-options.ts'

export interface OwnServer {
  url: string
  close(): Promise<void>
}

/**
 * The server at `url`, or one of our own on a free port with `model` as its default, which `close` stops. Its clips lie in
 * a temporary folder, which goes with it.
 */
export async function serverAt(url: string | undefined, model: string | undefined): Promise<OwnServer> {
  if (url !== undefined) return { url, close: () => Promise.resolve() }
  const config = serviceConfig(model === undefined ? {} : { model }, {
    ...{ host: '127.0.0.1', port: 0, redisUrl: null, dataDir: null, auth: 'off' }
  })
  const isQuiet = process.env['LEADLINE_LOG_LEVEL'] === undefined
  return startServer(config, serviceLog(isQuiet ? 'warn' : config.logLevel))
}
