import type { Log } from '../../src/sessions/log.ts'

export interface QuietLog extends Log {
  readonly lines: { level: string; message: string; fields: object }[]
}

/** Keeps what is logged, prints nothing. */
export function quietLog(): QuietLog {
  const lines: QuietLog['lines'] = []
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push({ level, message, fields })
    }
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
