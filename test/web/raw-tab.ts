import type { Browser, CDPSession } from 'playwright-core'

/**
 * A tab that is hidden when another comes to the front, as one of a user is. Those of playwright always believe to be seen, so
 * this one is spoken to by the protocol alone (https://chromedevtools.github.io/devtools-protocol).
 */
export class RawTab {
  readonly #browser: CDPSession
  readonly #targetId: string
  readonly #sessionId: string
  readonly #answers = new Map<number, (value: unknown) => void>()
  #other: string | null = null
  #lastId = 0

  private constructor(browser: CDPSession, targetId: string, sessionId: string) {
    this.#browser = browser
    this.#targetId = targetId
    this.#sessionId = sessionId
    browser.on('Target.receivedMessageFromTarget', ({ sessionId: from, message }) => {
      if (from !== sessionId) return
      const { id, result } = JSON.parse(message) as { id: number; result?: { result: { value: unknown } } }
      this.#answers.get(id)?.(result?.result.value)
      this.#answers.delete(id)
    })
  }

  static async open(browser: Browser, url: string): Promise<RawTab> {
    const session = await browser.newBrowserCDPSession()
    const { targetId } = await session.send('Target.createTarget', { url })
    const { sessionId } = await session.send('Target.attachToTarget', { targetId, flatten: false })
    return new RawTab(session, targetId, sessionId)
  }

  /** The value of an expression in the page, as JSON can tell it. */
  evaluate(expression: string): Promise<unknown> {
    const id = ++this.#lastId
    const message = JSON.stringify({
      id,
      method: 'Runtime.evaluate',
      params: { expression, returnByValue: true }
    })
    const answer = new Promise<unknown>((resolve) => this.#answers.set(id, resolve))
    void this.#browser.send('Target.sendMessageToTarget', { sessionId: this.#sessionId, message })
    return answer
  }

  /** Another tab comes to the front. */
  async hide(): Promise<void> {
    const { targetId } = await this.#browser.send('Target.createTarget', { url: 'about:blank' })
    this.#other = targetId
    await this.#browser.send('Target.activateTarget', { targetId })
  }

  async show(): Promise<void> {
    await this.#browser.send('Target.activateTarget', { targetId: this.#targetId })
  }

  async close(): Promise<void> {
    for (const targetId of [this.#targetId, this.#other])
      if (targetId !== null) await this.#browser.send('Target.closeTarget', { targetId })
    await this.#browser.detach()
  }
}
