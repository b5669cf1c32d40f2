const firstMs = 100
const mostMs = 2000

/**
 * How long to wait before the next try of something that many wait for at once: anything up to a bound that doubles with
 * each try, so that they come apart. `random` gives numbers in [0, 1).
 */
export function retryDelayMs(tries: number, random: () => number): number {
  return random() * Math.min(mostMs, firstMs * 2 ** tries)
}
