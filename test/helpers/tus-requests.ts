import type { TestApp } from './build-app.ts'

export const partType = 'application/offset+octet-stream'
const version = { 'tus-resumable': '1.0.0' }

type Headers = Record<string, string>

/** A new upload; with `body`, its beginning. */
export const begin = (
  app: TestApp['app'],
  length: number,
  { headers = {}, query = '', body }: { headers?: Headers; query?: string; body?: Buffer } = {}
) =>
  app.inject({
    ...{ method: 'POST', url: `/v1/uploads${query}` },
    ...(body === undefined ? {} : { payload: body }),
    headers: {
      ...{ ...version, 'upload-length': String(length) },
      ...(body === undefined ? {} : { 'content-type': partType }),
      ...headers
    }
  })

/** Where it goes on, as the answer to its beginning says. */
export const placeOf = (begun: { headers: Record<string, unknown> }) =>
  `/v1/${String(begun.headers.location)}`

export const look = (app: TestApp['app'], url: string, headers: Headers = {}) =>
  app.inject({ method: 'HEAD', url, headers: { ...version, ...headers } })

export const send = (app: TestApp['app'], url: string, offset: number, body: Buffer, headers: Headers = {}) =>
  app.inject({
    ...{ method: 'PATCH', url, payload: body },
    headers: { ...version, 'upload-offset': String(offset), 'content-type': partType, ...headers }
  })

export const giveUp = (app: TestApp['app'], url: string, headers: Headers = {}) =>
  app.inject({ method: 'DELETE', url, headers: { ...version, ...headers } })
