export { embeddedSessions } from './embedded/embedded.ts'
export type { EmbeddedSessions } from './embedded/embedded.ts'
export type { Log } from './log.ts'
export { redisGateway, redisWorker } from './redis/redis-sessions.ts'
export type { WorkerHandle } from './redis/redis-sessions.ts'
export { isFrameOutcome } from './sessions.ts'
export type {
  DepthlessOutcome,
  FrameOutcome,
  OpenWish,
  Readiness,
  Resumed,
  ResumedSession,
  ResumePosition,
  SessionHandle,
  Sessions,
  WantedPast
} from './sessions.ts'
