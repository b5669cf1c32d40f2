declare module 'spdx-satisfies' {
  /** Throws on what is no SPDX expression. */
  export default function satisfies(expression: string, allowed: readonly string[]): boolean
}
