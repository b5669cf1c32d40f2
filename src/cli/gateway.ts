import type { Command } from 'commander'
import { startGateway } from '../gateway.ts'
import { announce } from './announcement.ts'
import { serviceCommand, sharedServiceConfig, serviceLog } from './service-options.ts'
import type { ServiceOptions } from './service-options.ts'
import { runService } from './service-run.ts'

export function gatewayCommand(): Command {
  return serviceCommand('gateway', 'HTTP and WebSocket in front of the workers that share its Redis.', [
    ...(['host', 'port', 'model', 'redis', 'insecure'] as const)
  ]).action(async (options: ServiceOptions) => {
    const config = sharedServiceConfig(options)
    const log = serviceLog(config.logLevel)
    await runService(log, {
      start: () => startGateway(config, log),
      announce: ({ url }) => announce(log, 'listening', { url, model: config.defaultModel }),
      isAlive: () => true,
      stop: (gateway) => gateway.close()
    })
  })
}
