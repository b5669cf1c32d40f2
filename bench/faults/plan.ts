import { randomNumbers } from '../random.ts'

/**
 * What can be done to a running cell. `perMinute` is how often; `ms` the shortest and the longest time that it lasts, where
 * it is not over at once.
 */
export const faultKinds = {
  workerKill: { of: 'worker', perMinute: 14 },
  workerTerm: { of: 'worker', perMinute: 2 },
  /** Below the lease and above it. */
  workerStop: { of: 'worker', perMinute: 2, ms: [800, 6000] },
  executorKill: { of: 'worker', perMinute: 3 },
  executorStop: { of: 'worker', perMinute: 1, ms: [1000, 4000] },
  gatewayKill: { of: 'gateway', perMinute: 4 },
  gatewayTerm: { of: 'gateway', perMinute: 1 },
  gatewayStop: { of: 'gateway', perMinute: 1, ms: [500, 3000] },
  /** Killed, and back without data, with what it had, and with what it had a second ago. */
  redisEmpty: { of: 'redis', perMinute: 0.7, ms: [200, 2000] },
  redisSaved: { of: 'redis', perMinute: 0.4, ms: [200, 2000] },
  redisStale: { of: 'redis', perMinute: 0.4, ms: [200, 2000] },
  redisFlush: { of: 'redis', perMinute: 0.5 },
  redisPause: { of: 'redis', perMinute: 1, ms: [500, 1500] },
  redisClientKill: { of: 'redis', perMinute: 1 },
  redisStop: { of: 'redis', perMinute: 0.5, ms: [300, 1500] },
  /** Between Redis and a process. */
  linkDelay: { of: 'link', perMinute: 2, ms: [1000, 4000] },
  linkHalfOpen: { of: 'link', perMinute: 1 },
  linkBlackHole: { of: 'link', perMinute: 1, ms: [500, 5000] },
  linkCut: { of: 'link', perMinute: 1 },
  /** Between clients and a gateway. */
  doorCut: { of: 'gateway', perMinute: 1 },
  doorHalfOpen: { of: 'gateway', perMinute: 0.5 },
  doorDelay: { of: 'gateway', perMinute: 1, ms: [500, 2000] }
} as const satisfies Record<string, FaultDefinition>

interface FaultDefinition {
  of: 'worker' | 'gateway' | 'redis' | 'link'
  perMinute: number
  ms?: readonly [number, number]
}

export type FaultKind = keyof typeof faultKinds

export interface Fault {
  /** From the beginning of the faults. */
  atMs: number
  kind: FaultKind
  /** Which of several, by its place among them. */
  index: number
  ms: number
}

export interface PlanOptions {
  seed: number
  minutes: number
  /** How many there are of what faults are of. */
  counts: Record<FaultDefinition['of'], number>
  /** @default every kind */
  kinds?: readonly FaultKind[]
}

/**
 * Which faults, and when. Their number is that of the table, and the seed draws the times and whom they hit, so that every
 * run of the same length has seen the same. What is less than one a run is drawn.
 */
export function planFaults({ seed, minutes, counts, kinds }: PlanOptions): Fault[] {
  const random = randomNumbers(seed)
  const faults = (kinds ?? (Object.keys(faultKinds) as FaultKind[])).flatMap((kind) => {
    const { of, perMinute, ms = [0, 0] }: FaultDefinition = faultKinds[kind]
    return Array.from({ length: Math.floor(perMinute * minutes + random()) }, () => ({
      kind,
      atMs: random() * minutes * 60_000,
      index: Math.floor(random() * counts[of]),
      ms: Math.round(ms[0] + random() ** 2 * (ms[1] - ms[0]))
    }))
  })
  return faults.sort((a, b) => a.atMs - b.atMs)
}
