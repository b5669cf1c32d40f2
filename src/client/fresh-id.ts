let next = Math.floor(Math.random() * 1e9)

/** For what is asked of a server: an answer to another stream, which had the session before, must be none to this one. */
export function freshId(): string {
  return String(next++)
}
