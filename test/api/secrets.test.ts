import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { fetchTicket } from '../../src/client/index.ts'
import { testApp } from '../helpers/build-app.ts'
import { eventually } from '../helpers/eventually.ts'
import { addKey } from '../helpers/keys.ts'
import { connect, greyFrame, openStream } from '../helpers/stream-client.ts'
import { makeClip, temporaryFolder } from '../video/clip-file.ts'

test('the log of a whole run has the names of keys and sessions, and no secret', async () => {
  const { app, keys, listen, logged } = await testApp({ config: { auth: 'keys' } })
  const url = await listen()
  const { key, value, headers } = await addKey(keys, { name: 'camera of the log' })
  const stranger = await addKey({ add: async () => {} })
  const secrets = [value, stranger.value]
  const ticket = async () => {
    const fetched = await fetchTicket({ url, key: value })
    secrets.push(fetched)
    return { protocols: [`leadline.ticket.${fetched}`] }
  }

  const first = await openStream(url, { delivery: 'lossless', resumable: true }, await ticket())
  secrets.push(first.ready.resumeToken)
  first.send(greyFrame(0))
  await first.expect('result')
  first.ws.terminate()
  const { session, resumeToken: token } = first.ready
  const resume = { resume: { session, token, epoch: 0, seq: -1 } }
  const second = await openStream(url, resume, { headers })
  secrets.push(second.ready.resumeToken)
  const wrong = { resume: { ...resume.resume, token: 'not-the-token-of-anybody-but-as-long-as-one' } }
  secrets.push(wrong.resume.token)
  await expect(openStream(url, wrong, { headers })).rejects.toThrow(/SESSION_UNKNOWN/)
  await expect(connect(url, { headers: stranger.headers })).rejects.toThrow(/401/)
  await expect(connect(url, { protocols: [`leadline.ticket.${stranger.value}`] })).rejects.toThrow(/401/)
  // Where none belongs.
  for (const where of [
    `/v1/models?key=${value}`,
    `/v1/clips/${value}`,
    `/${value}`,
    `/?ticket=${secrets[2]}`
  ])
    await app.inject({ url: where, headers })
  await app.inject({ url: '/v1/models', headers: { authorization: `Basic ${value}` } })
  const video = await readFile(await makeClip(path.join(await temporaryFolder(), 'walk.mp4'), 2))
  await app.inject({
    method: 'POST',
    url: '/v1/clips',
    headers: { ...headers, 'content-type': 'video/mp4' },
    payload: video
  })
  await keys.revoke(key.id, Date.now())
  expect(await second.closed).toMatchObject({ code: 4501 })

  await eventually(() => logged.some(({ msg }) => msg === 'a key counts no more')).toBe(true)
  const text = logged.map((line) => JSON.stringify(line)).join('\n')
  expect(secrets.length).toBeGreaterThan(5)
  expect(secrets.filter((secret) => text.includes(secret.slice(3, 40)))).toEqual([])
  expect(text).not.toMatch(/"remoteAddress"|authorization|sec-websocket-protocol/i)
  const told = { reqId: expect.any(String), key: key.name, session }
  expect(logged).toContainEqual(expect.objectContaining({ ...told, msg: 'session opened' }))
  expect(logged).toContainEqual(expect.objectContaining({ ...told, msg: 'session resumed' }))
})
