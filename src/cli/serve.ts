import type { Command } from 'commander'
import { startServer } from '../server.ts'
import { announce, roomFor } from './announcement.ts'
import { serviceCommand, serviceConfig, serviceLog } from './service-options.ts'
import type { ServiceOptions } from './service-options.ts'
import { runService } from './service-run.ts'

export function serveCommand(): Command {
  return serviceCommand(
    'serve',
    'Gateway and worker in one process; needs nothing else. With a Redis they meet there.',
    ['host', 'port', 'model', 'redis', 'threads', 'warmup', 'warmupModes', 'insecure']
  ).action(async (options: ServiceOptions) => {
    const config = serviceConfig(options)
    const log = serviceLog(config.logLevel)
    await runService(log, {
      start: () => startServer(config, log),
      announce: ({ url, offer }) =>
        announce(log, 'listening', {
          ...{ url, model: config.defaultModel, device: offer.device },
          sessions: roomFor(offer, config.defaultModel)
        }),
      isAlive: (server) => server.isAlive(),
      stop: (server, untilMs) => server.close(untilMs)
    })
  })
}
