import { Deferred } from '../../deferred.ts'

/** Who comes waits while it is shut. */
export class Gate {
  #opened: Deferred<void> | null = null

  get isShut(): boolean {
    return this.#opened !== null
  }

  get passed(): Promise<void> {
    return this.#opened?.promise ?? Promise.resolve()
  }

  shut(): void {
    this.#opened ??= new Deferred()
  }

  open(): void {
    this.#opened?.resolve()
    this.#opened = null
  }
}
