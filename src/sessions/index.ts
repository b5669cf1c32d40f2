export { embeddedSessions } from './embedded.ts'
export type { EmbeddedSessions } from './embedded.ts'
export type { Log } from './log.ts'
export type { Readiness, SessionHandle, Sessions } from './sessions.ts'
