/** Collects what a callback is given; `until` resolves when it satisfies a condition, however long that takes. */
export class Received<T> {
  readonly all: T[] = []
  #waiting: { met: () => boolean; resolve: () => void }[] = []

  readonly push = (item: T): void => {
    this.all.push(item)
    const met = this.#waiting.filter((wait) => wait.met())
    this.#waiting = this.#waiting.filter((wait) => !met.includes(wait))
    for (const wait of met) wait.resolve()
  }

  async until(condition: (all: readonly T[]) => boolean): Promise<readonly T[]> {
    const met = (): boolean => condition(this.all)
    if (!met()) await new Promise<void>((resolve) => this.#waiting.push({ met, resolve }))
    return this.all
  }
}
