import type { Command } from 'commander'
import { startServer } from '../server.ts'
import { announce, roomFor } from './announcement.ts'
import { serviceCommand, serviceConfig, serviceLog } from './service-options.ts'
import type { ServiceOptions } from './service-options.ts'
import { runUntilStopped } from './service-run.ts'

export function serveCommand(): Command {
  return serviceCommand(
    'serve',
    'Gateway and worker in one process; needs nothing else. With a Redis they meet there.',
    ['host', 'port', 'model', 'redis', 'threads', 'warmup']
  ).action(async (options: ServiceOptions) => {
    const config = serviceConfig(options)
    const log = serviceLog(config.logLevel)
    const server = await startServer(config, log)
    runUntilStopped(log, () => server.close())
    announce(log, 'listening', {
      url: server.url,
      model: config.defaultModel,
      device: server.offer.device,
      sessions: roomFor(server.offer, config.defaultModel)
    })
  })
}
