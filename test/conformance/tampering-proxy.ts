import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import WebSocket, { WebSocketServer } from 'ws'

export interface Passing {
  data: Buffer
  isBinary: boolean
}

/** What a proxy makes of what a server says. */
export interface Tampering {
  /** What goes on to the client in place of this; each socket has a function of its own. */
  told?: () => (message: Passing) => Passing[]
  close?: (code: number, reason: Buffer) => [number, Buffer]
}

/** A server that breaks the protocol: a good one, seen through a proxy that is not. Gone when the test is. */
export async function tamperingProxy(url: string, { told, close }: Tampering): Promise<URL> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/v1/stream' })
  await new Promise((resolve) => server.once('listening', resolve))
  server.on('connection', (client) => {
    const upstream = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, 'leadline.v1')
    const early: Passing[] = []
    const tamper = told?.() ?? ((message: Passing) => [message])
    const forward = ({ data, isBinary }: Passing) => upstream.send(data, { binary: isBinary })
    client.on('message', (data: Buffer, isBinary) => {
      if (upstream.readyState === WebSocket.OPEN) forward({ data, isBinary })
      else early.push({ data, isBinary })
    })
    upstream.on('open', () => early.splice(0).forEach(forward))
    upstream.on('message', (data: Buffer, isBinary) => {
      for (const one of tamper({ data, isBinary })) client.send(one.data, { binary: one.isBinary })
    })
    upstream.on('close', (code, reason) => {
      if (isSayable(code)) client.close(...(close?.(code, reason) ?? ([code, reason] as const)))
      else client.terminate()
    })
    client.on('close', (code, reason) => {
      if (isSayable(code)) upstream.close(code, reason)
      else upstream.terminate()
    })
    for (const socket of [client, upstream]) socket.on('error', () => undefined)
  })
  onTestFinished(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  return new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/stream`)
}

/** 1005 and 1006 are never sent. */
function isSayable(code: number): boolean {
  return code !== 1005 && code !== 1006
}
