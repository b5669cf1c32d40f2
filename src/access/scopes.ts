/** What a key may open. */
export const scopes = ['stream', 'depth', 'clips', 'sessions', 'metrics', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** Of a key for which none were named: all that a user of the service needs. */
export const usualScopes: readonly Scope[] = ['stream', 'depth', 'clips', 'sessions']

/** For people. */
export const scopeMeanings: Readonly<Record<Scope, string>> = {
  stream: 'live video, and tickets for it',
  depth: 'single images',
  clips: 'videos as files: its own',
  sessions: 'list and end sessions: its own',
  metrics: 'figures for Prometheus',
  admin: 'everything, of everybody'
}

export function allows(granted: readonly Scope[], wanted: Scope): boolean {
  return granted.includes(wanted) || granted.includes('admin')
}
