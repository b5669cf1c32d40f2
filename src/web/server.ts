import type { ServerRequest } from '../client/clips/index.ts'
import { requestServer } from '../client/clips/index.ts'
import type { Credentials } from '../client/index.ts'
import { fetchTicket } from '../client/index.ts'
import type { ModelOffer } from '../session.ts'

/** Kept for as long as the tab is open, and for no other site. */
const keyName = 'leadline-key'

/** The gateway that served this page, wherever a proxy has put it. */
export class Server {
  readonly url = new URL('.', location.href)
  #key = sessionStorage.getItem(keyName)

  /** What the user shows; null: nothing. */
  get key(): string | null {
    return this.#key
  }

  set key(key: string | null) {
    this.#key = key
    if (key === null) sessionStorage.removeItem(keyName)
    else sessionStorage.setItem(keyName, key)
  }

  /** Of the next connection: a ticket, which is good for that one alone. */
  readonly credentials = async (): Promise<Credentials> =>
    this.#key === null ? {} : { ticket: await fetchTicket({ url: this.url, key: this.#key }) }

  async models(): Promise<ModelOffer[]> {
    const { models } = (await (await this.request('v1/models')).json()) as { models: ModelOffer[] }
    return models
  }

  /** Where an element finds it: as it is, or, where a key must be shown, as a copy in this tab. */
  async addressOf(url: URL): Promise<string> {
    if (this.#key === null) return url.href
    return URL.createObjectURL(await (await this.request(url)).blob())
  }

  /** Throws the server's failure, or CONNECTION_LOST. */
  request(path: string | URL, init: Omit<ServerRequest, 'key'> = {}): Promise<Response> {
    return requestServer(new URL(path, this.url), { ...init, key: this.#key })
  }
}
