import os from 'node:os'
import path from 'node:path'

/**
 * Where this user keeps files of a kind, by the XDG Base Directory Specification: the absolute folder that a variable names,
 * else `fallback` in the home folder. Null where there is no home, as for a user without a name in a container.
 */
export function userFolder(named: string | undefined, fallback: string): string | null {
  if (named !== undefined && path.isAbsolute(named)) return named
  const home = homeFolder()
  return path.isAbsolute(home) ? path.join(home, fallback) : null
}

/** Empty when the system knows none. */
function homeFolder(): string {
  try {
    return os.homedir()
  } catch {
    return ''
  }
}
