/** Whether this name or address, as a URL or a setting has it, is of the very machine. */
export function isLoopback(name: string): boolean {
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(name)
}
