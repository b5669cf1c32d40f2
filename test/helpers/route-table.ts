import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Scope } from '../../src/access/index.ts'

/** One method of a route, shown in the document of the interface or not. */
export interface Operation {
  method: string
  /** With what is chosen in braces, as in OpenAPI. */
  path: string
  /** A route that does not say is, as one made before keys are asked for. */
  isOpen: boolean
  /** null: any key does. */
  scope: Scope | null
  isHidden: boolean
  /** That its schema has. */
  statuses: number[]
}

/** All that is routed by the app that `make` makes, as it is routed. */
export async function routeTable<App>(
  make: () => Promise<App>
): Promise<{ made: App; operations: Operation[] }> {
  const operations: Operation[] = []
  const onNew = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', (route) => void operations.push(...operationsOf(route)))
  }
  const channel = 'fastify.initialization'
  subscribe(channel, onNew)
  try {
    return { made: await make(), operations }
  } finally {
    unsubscribe(channel, onNew)
  }
}

function operationsOf({ method, url, config, schema }: RouteOptions): Operation[] {
  const access = config?.access
  const { hide, response } = (schema ?? {}) as { hide?: boolean; response?: object }
  return [method].flat().map((name) => ({
    ...{
      method: name,
      path: url.replaceAll(/:(\w+)/g, '{$1}'),
      isOpen: access === undefined || access === 'everybody'
    },
    scope: access === undefined || access === 'everybody' || access === 'anyKey' ? null : access,
    ...{ isHidden: hide === true, statuses: Object.keys(response ?? {}).map(Number) }
  }))
}
