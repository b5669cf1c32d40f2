/** How a worker's frames fared in the last ten seconds. */
export interface EnginePace {
  /** Depth maps. */
  framesPerSecond: number
  /** From the arrival of a frame at the worker to its depth map; 0 where there was none. */
  latencyMs: { p50: number; p99: number }
  /** Sessions without device memory, now. */
  parkedSessions: number
}

export const noPace: EnginePace = {
  ...{ framesPerSecond: 0, parkedSessions: 0 },
  latencyMs: { p50: 0, p99: 0 }
}
