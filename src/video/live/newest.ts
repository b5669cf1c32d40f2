export interface NewestOptions {
  /** An item that nobody asked for in time was passed over. */
  onSkipped: () => void
  /** Ends the items, also while one is waited for. */
  end: () => void
}

/** The newest of what comes, read whether it is asked for or not. Leaving the loop ends what it comes from. */
export async function* newest<T extends object>(
  items: AsyncIterable<T>,
  { onSkipped, end }: NewestOptions
): AsyncGenerator<T, void, undefined> {
  const slot: { item: T | null; isOver: boolean; wake: () => void } = {
    ...{ item: null, isOver: false, wake: () => undefined }
  }
  const read = async (): Promise<void> => {
    for await (const item of items) {
      if (slot.item !== null) onSkipped()
      slot.item = item
      slot.wake()
    }
  }
  const reading = read().finally(() => {
    slot.isOver = true
    slot.wake()
  })
  // It is awaited below; meanwhile nobody is.
  reading.catch(() => undefined)
  try {
    for (;;) {
      if (slot.item === null && !slot.isOver) await new Promise<void>((resolve) => (slot.wake = resolve))
      const { item } = slot
      slot.item = null
      if (item !== null) yield item
      else if (slot.isOver) return await reading
    }
  } finally {
    end()
    await reading.catch(() => undefined)
  }
}
