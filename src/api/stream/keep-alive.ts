import type { WebSocket } from 'ws'

/** Ping every `intervalMs`, and cut the socket when nothing at all came back since the ping before. Returns its end. */
export function keepAlive(ws: WebSocket, intervalMs: number): () => void {
  let isHeard = true
  const heard = () => (isHeard = true)
  ws.on('pong', heard).on('message', heard)
  const timer = setInterval(() => {
    if (!isHeard) return ws.terminate()
    isHeard = false
    ws.ping()
  }, intervalMs)
  return () => clearInterval(timer)
}
