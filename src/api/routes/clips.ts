import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { openClips } from '../../clips/index.ts'
import type { Config } from '../../config.ts'
import type { Registry } from 'prom-client'
import type { LeadlineError } from '../../errors.ts'
import type { Meter } from '../../metering/measures.ts'
import type { Sessions } from '../../sessions/index.ts'
import { ClipQuota } from '../clips/clip-quota.ts'
import { clipEventRoute } from '../clips/clip-events.ts'
import { clipResultRoute } from '../clips/clip-results.ts'
import { clipStateRoutes } from '../clips/clip-states.ts'
import { createClipRoute } from '../clips/create-clip.ts'
import { uploadRoutes } from '../uploads/upload-routes.ts'
import { openWebhooks } from '../../webhooks/index.ts'
import { watchQueues } from '../watch-queues.ts'
import type { Failures } from '../failures.ts'
import { webhookRoutes } from './webhooks.ts'

export interface ClipRoutesOptions {
  config: Config
  failures: Failures
  meter: Meter
  metrics: Registry
  sessions: Sessions
}

/** Everything about clips and their webhooks; they are open for as long as the app is. */
export const clipRoutes: FastifyPluginAsyncTypebox<ClipRoutesOptions> = async (app, options) => {
  const { config, failures, meter, metrics, sessions } = options
  const tellFailure = (failure: LeadlineError, clip: string) => {
    const { code, title, detail } = failures.tell(failure, app.log.child({ clip }))
    return { code, title, detail }
  }
  const { log } = app
  const { webhooks, close: closeWebhooks } = await openWebhooks({ config, log })
  const opened = openClips({ config, meter, sessions, webhooks, tellFailure, log })
  const { clips, uploads, idempotency, close, release } = await opened.catch(async (error: unknown) => {
    await closeWebhooks()
    throw error
  })
  watchQueues(metrics, { clips, webhooks })
  app.addHook('preClose', close)
  // A delivery that ends writes into the storage.
  app.addHook('onClose', () => closeWebhooks().finally(release))
  const quota = new ClipQuota({ clips, uploads }, config)
  await app.register(createClipRoute, { clips, config, idempotency, quota })
  await app.register(uploadRoutes, { uploads, config, idempotency, quota })
  await app.register(clipStateRoutes, { clips })
  await app.register(clipEventRoute, { clips })
  await app.register(clipResultRoute, { clips })
  await app.register(webhookRoutes, { webhooks })
}
