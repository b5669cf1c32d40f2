import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ReceivedWebhook {
  headers: Record<string, string>
  body: string
}

type Answer = (response: http.ServerResponse, count: number) => void

/** Takes webhooks on every address of this machine, and answers as the test says. */
export async function receiver(answer: Answer = (response) => void response.writeHead(204).end()) {
  const received: ReceivedWebhook[] = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => (body += piece.toString()))
    request.on('end', () => {
      received.push({ headers: request.headers as Record<string, string>, body })
      answer(response, received.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.2:${port}/hook`, received }
}

/** Stands for the public network; the rest of loopback stays forbidden. */
export const outside = '127.0.0.2'
