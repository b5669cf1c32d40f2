import type { Credentials } from '../client/index.ts'
import { LeadlineError, refusalError } from '../client/index.ts'
import type { ModelOffer } from '../session.ts'

/** The gateway that served this page, wherever a proxy has put it. */
export class Server {
  readonly url = new URL('.', location.href)

  /** Of the next connection. */
  readonly credentials = async (): Promise<Credentials> => ({})

  async models(): Promise<ModelOffer[]> {
    const { models } = (await (await this.request('v1/models')).json()) as { models: ModelOffer[] }
    return models
  }

  /** Throws the server's failure, or CONNECTION_LOST. */
  async request(path: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, this.url)
    const response = await fetch(url, init).catch((cause: unknown) => {
      throw new LeadlineError('CONNECTION_LOST', `${this.url.host} does not answer; is the server running?`, {
        cause
      })
    })
    if (response.ok) return response
    const { status, statusText: reason, headers } = response
    const server = headers.get('server') ?? undefined
    throw refusalError({ url, status, reason, headers: { server }, body: await response.text() })
  }
}
