import { once } from 'node:events'
import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** A TCP proxy in front of a server of this machine, for what networks do. Ended by whoever started it. */
export interface LinkProxy {
  readonly port: number
  /** Connections that were made so far. */
  readonly connections: number
  /** What arrives from now on is passed on this much later, in either direction. */
  delay(ms: number): void
  /** The connections there are pass nothing any more and are not closed: half-open. New ones work. */
  halfOpen(): void
  /** New ones neither, until `heal`. */
  blackHole(): void
  heal(): void
  /** Break every connection, and each new one as it comes, until `heal`. */
  refuse(): void
  /** Break every connection. */
  cut(): void
  /** Break a connection once it has brought this many more bytes, of either direction, be it in the middle of a message. */
  cutAfter(bytes: number): void
  stop(): Promise<void>
}

interface Pair {
  sockets: [Socket, Socket]
  isDead: boolean
}

interface Line {
  isDead: () => boolean
  delayMs: () => number
  /** How much of the next bytes may still pass; the connection breaks behind less than all of them. */
  allow: (bytes: number) => number
  end: () => void
}

/**
 * In order, whenever the delay changes, and no faster than `to` is read: a peer that reads slowly must be felt by the one
 * that writes, as without a proxy.
 */
function passOn(from: Socket, to: Socket, { isDead, delayMs, allow, end }: Line): void {
  const waiting: { chunk: Buffer; dueMs: number }[] = []
  let timer: NodeJS.Timeout | null = null
  const pass = (): void => {
    timer = null
    for (let next = waiting[0]; next; next = waiting[0]) {
      const leftMs = next.dueMs - performance.now()
      if (leftMs > 0) return void (timer = setTimeout(pass, leftMs))
      waiting.shift()
      if (isDead() || to.destroyed) continue
      const allowed = allow(next.chunk.byteLength)
      if (allowed < next.chunk.byteLength) return void to.write(next.chunk.subarray(0, allowed), end)
      if (to.write(next.chunk) || from.isPaused()) continue
      from.pause()
      to.once('drain', () => from.resume())
    }
  }
  from.on('data', (chunk: Buffer) => {
    waiting.push({ chunk, dueMs: performance.now() + delayMs() })
    if (timer === null) pass()
  })
}

export async function startLinkProxy(toPort: number): Promise<LinkProxy> {
  const pairs = new Set<Pair>()
  let delayMs = 0
  let isBlack = false
  let isRefusing = false
  let connections = 0
  let allowance = Infinity
  const allow = (bytes: number): number => {
    const allowed = Math.min(bytes, allowance)
    allowance = allowed < bytes ? Infinity : allowance - bytes
    return allowed
  }
  const server = net.createServer((down) => {
    connections += 1
    if (isRefusing) return void down.destroy()
    const up = net.connect(toPort, '127.0.0.1')
    const pair: Pair = { sockets: [down, up], isDead: isBlack }
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      for (const socket of pair.sockets) socket.destroy()
    }
    for (const [from, to] of [
      [down, up],
      [up, down]
    ] as const) {
      from.setNoDelay(true)
      from.on('error', end).on('close', end)
      passOn(from, to, { isDead: () => pair.isDead, delayMs: () => delayMs, allow, end })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const kill = (): void => {
    for (const pair of pairs) pair.isDead = true
  }
  const cut = (): void => {
    for (const { sockets } of [...pairs]) for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    delay: (ms) => (delayMs = ms),
    halfOpen: kill,
    blackHole: () => {
      isBlack = true
      kill()
    },
    heal: () => (isBlack = isRefusing = false),
    refuse: () => {
      isRefusing = true
      cut()
    },
    cut,
    cutAfter: (bytes) => (allowance = bytes),
    stop: async () => {
      server.close()
      cut()
      if (server.listening) await once(server, 'close')
    }
  }
}
