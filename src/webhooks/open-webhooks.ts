import path from 'node:path'
import type { Config } from '../config.ts'
import { dataPath } from '../machine/data-path.ts'
import type { Log } from '../sessions/index.ts'
import { RedisConnections } from '../sessions/index.ts'
import type { DeadLetter, Delivery, TryEnd } from './delivery.ts'
import type { DeliveryQueue, QueueOptions } from './queue/delivery-queue.ts'
import { MemoryDeliveryQueue } from './queue/memory-delivery-queue.ts'
import { BullmqDeliveryQueue } from './redis/bullmq-delivery-queue.ts'
import { RedisSecretStore } from './redis/redis-secret-store.ts'
import { WebhookKeys } from './redis/webhook-keys.ts'
import { FolderSecretStore } from './secrets/folder-secret-store.ts'
import { MemorySecretStore } from './secrets/memory-secret-store.ts'
import type { SecretStore } from './secrets/secret-store.ts'
import { signing } from './secrets/secret-store.ts'
import { retryDelaysMs } from './sending/retries.ts'
import { send } from './sending/send.ts'
import { Webhooks } from './webhooks.ts'

/** Of one try. */
const tryMs = 15_000

type WebhookConfig = Pick<
  Config,
  'redisUrl' | 'keyPrefix' | 'dataDir' | 'stateDir' | 'port' | 'webhookNetworks'
>

export interface OpenWebhooksOptions {
  config: WebhookConfig
  log: Log
  /** Between a try and the next. @default `retryDelaysMs` */
  delaysMs?: readonly number[]
  /** @default `tryMs` */
  timeoutMs?: number
}

export interface OpenedWebhooks {
  webhooks: Webhooks
  /** Twice without harm. */
  close(): Promise<void>
}

interface Stores {
  queue: DeliveryQueue
  secrets: SecretStore
  release(): void
}

/** Delivers from now on. Throws STORE_UNAVAILABLE; then nothing is left open. */
export async function openWebhooks(options: OpenWebhooksOptions): Promise<OpenedWebhooks> {
  const { config, log, timeoutMs = tryMs } = options
  const pace = { delaysMs: options.delaysMs ?? retryDelaysMs, random: Math.random }
  const { queue, secrets, release } = await openStores(config, log, pace)
  const attempt = async (delivery: Delivery, closing: AbortSignal): Promise<TryEnd> => {
    try {
      const signers = signing(await secrets.read(delivery.owner), Date.now())
      const limits = { allowedNetworks: config.webhookNetworks, timeoutMs, closing }
      return await send(delivery, { secrets: signers, ...limits, nowMs: Date.now() })
    } catch (error) {
      log.warn({ err: error, webhook: delivery.id }, 'the secrets of webhooks could not be read')
      return { kind: 'failed', reason: 'its secret could not be read', isFinal: false }
    }
  }
  queue.serve({ attempt, onDead: (letter) => tellDead(letter, log) })
  return {
    webhooks: new Webhooks({ queue, secrets }),
    async close() {
      await queue.close()
      release()
    }
  }
}

async function openStores(config: WebhookConfig, log: Log, pace: QueueOptions): Promise<Stores> {
  if (config.redisUrl === null) {
    const folder = dataPath(config)
    const secrets =
      folder === null ? new MemorySecretStore() : new FolderSecretStore(path.join(folder, 'webhooks'))
    return { queue: new MemoryDeliveryQueue(pace), secrets, release: () => undefined }
  }
  const redis = await RedisConnections.open(config.redisUrl, log, config.keyPrefix)
  const keys = new WebhookKeys(config.keyPrefix)
  return {
    queue: new BullmqDeliveryQueue({ redis, keys, log, ...pace }),
    secrets: new RedisSecretStore(redis, keys),
    release: () => redis.close()
  }
}

/** The host alone: what else an address has may be a secret. */
function tellDead({ delivery, tries, reason }: DeadLetter, log: Log): void {
  const { host } = new URL(delivery.url)
  log.warn({ webhook: delivery.id, host, tries, reason }, 'a webhook is given up')
}
