import type { Command } from 'commander'
import { startWorker } from '../worker.ts'
import { announce, roomFor } from './announcement.ts'
import { serviceCommand, sharedServiceConfig, serviceLog } from './service-options.ts'
import type { ServiceOptions } from './service-options.ts'
import { runService } from './service-run.ts'

export function workerCommand(): Command {
  return serviceCommand('worker', 'One device at the service of the gateways that share its Redis.', [
    ...(['model', 'redis', 'threads', 'warmup', 'warmupModes'] as const)
  ]).action(async (options: ServiceOptions) => {
    const config = sharedServiceConfig(options)
    const log = serviceLog(config.logLevel)
    await runService(log, {
      start: () => startWorker(config, log),
      announce: ({ id, offer, metricsUrl }) =>
        announce(log, 'serving', {
          ...{ worker: id, model: config.defaultModel, device: offer.device },
          sessions: roomFor(offer, config.defaultModel),
          ...(metricsUrl && { metrics: metricsUrl })
        }),
      isAlive: (worker) => worker.isAlive(),
      stop: async (worker, untilMs) => {
        await worker.empty(untilMs)
        await worker.close(untilMs)
      }
    })
  })
}
