export { embeddedSessions } from './embedded/embedded.ts'
export type { EmbeddedSessions } from './embedded/embedded.ts'
export type { Log } from './log.ts'
export { Keys as RedisKeys } from './redis/keys.ts'
export { patiently } from './redis/patiently.ts'
export { RedisConnections } from './redis/redis-connections.ts'
export { mortalQueues } from './redis/mortal-queues.ts'
export { queueKeys } from './redis/turns.ts'
export { RedisScripts } from './redis/redis-scripts.ts'
export { redisGateway, redisWorker } from './redis/redis-sessions.ts'
export type { WorkerHandle } from './redis/redis-sessions.ts'
export { isFrameOutcome } from './sessions.ts'
export { sessionStates } from './session-states.ts'
export type {
  DepthlessOutcome,
  FrameOutcome,
  ListedSession,
  ListedWorker,
  OpenWish,
  Readiness,
  Resumed,
  ResumedSession,
  ResumePosition,
  ResumeWish,
  SessionHandle,
  Sessions,
  WantedPast
} from './sessions.ts'
