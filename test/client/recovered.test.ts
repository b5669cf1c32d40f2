import { expect, onTestFinished, test } from 'vitest'
import type { ConnectionEvent } from '../../src/client/index.ts'
import { connectStream } from '../../src/client/index.ts'
import { readyText, scriptedServer } from './scripted-server.ts'

test('what differs after a recovery is told, where the server could say', async () => {
  const recovered = { type: 'recovered', epoch: 2, seq: 41, continuity: 'rebuilt' }
  const aligned = { ...recovered, alignment: { scale: 1.02, offset: -0.01, residual: 0.004 } }
  const url = await scriptedServer((ws) => {
    for (const text of [readyText, JSON.stringify(recovered), JSON.stringify(aligned)]) ws.send(text)
  })
  const told: ConnectionEvent[] = []
  const stream = await connectStream({ url, onConnection: (event) => void told.push(event) })
  onTestFinished(() => stream.abort())
  await expect.poll(() => told).toEqual([recovered, aligned])
})
