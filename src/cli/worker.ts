import type { Command } from 'commander'
import { startWorker } from '../worker.ts'
import { announce, roomFor } from './announcement.ts'
import { serviceCommand, sharedServiceConfig, serviceLog } from './service-options.ts'
import type { ServiceOptions } from './service-options.ts'
import { runUntilStopped } from './service-run.ts'

export function workerCommand(): Command {
  return serviceCommand('worker', 'One device at the service of the gateways that share its Redis.', [
    ...(['model', 'redis', 'threads', 'warmup'] as const)
  ]).action(async (options: ServiceOptions) => {
    const config = sharedServiceConfig(options)
    const log = serviceLog(config.logLevel)
    const worker = await startWorker(config, log)
    runUntilStopped(log, () => worker.drain().then(() => worker.close()))
    announce(log, 'serving', {
      worker: worker.id,
      model: config.defaultModel,
      device: worker.offer.device,
      sessions: roomFor(worker.offer, config.defaultModel),
      ...(worker.metricsUrl && { metrics: worker.metricsUrl })
    })
  })
}
