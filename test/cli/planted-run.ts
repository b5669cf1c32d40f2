import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect as connectSocket } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { connectStream, fetchTicket } from '../../src/client/index.ts'
import { mp4 } from '../helpers/clip-files.ts'
import type { ClipBody } from '../helpers/clip-requests.ts'
import { eventually } from '../helpers/eventually.ts'
import type { TestKey } from '../helpers/keys.ts'
import { connect, frameMessage, openStream } from '../helpers/stream-client.ts'
import { partType } from '../helpers/tus-requests.ts'
import { receiver } from '../helpers/webhook-receiver.ts'

/** In the pixels of every frame. */
export const plantedPixels = 'planted-in-the-picture-'
/** Of this machine as well, and no other part of it has it. */
const socketAddress = '127.83.61.47'
/** Whom a proxy names. */
const forwardedAddress = '203.0.113.77'

/** What a service is to be told so that a run of this machine may reach itself, and that a proxy is before it. */
export const settingsOfRun = {
  LEADLINE_LOG_LEVEL: 'trace',
  LEADLINE_AUTH: 'keys',
  LEADLINE_WEBHOOK_NETWORKS: '127.0.0.0/8',
  LEADLINE_CLIP_URL_NETWORKS: '127.0.0.0/8',
  LEADLINE_TRUST_PROXY: '127.0.0.0/8'
}

export interface PlantedRun {
  url: string
  mine: TestKey
  /** Never shown where a key belongs. */
  other: TestKey
  /** In the middle of a stream, after which it goes on. */
  disturb: () => Promise<void>
}

/** All that a client can do at a server, with a secret wherever one belongs or is put by mistake. Tells them. */
export async function plantedRun(run: PlantedRun): Promise<string[]> {
  const secrets = [plantedPixels, socketAddress, forwardedAddress, run.mine.value, run.other.value]
  await streamWithTicket(run, secrets)
  await resumedStream(run, secrets)
  await clipsThatTellWhere(run, secrets)
  await clipsFromAddresses(run, secrets)
  await clipInParts(run, secrets)
  await requestsByMistake(run, secrets)
  return secrets
}

async function streamWithTicket({ url, mine, disturb }: PlantedRun, secrets: string[]): Promise<void> {
  const credentials = async () => {
    const ticket = await fetchTicket({ url, key: mine.value })
    secrets.push(ticket)
    return { ticket }
  }
  const stream = await connectStream({ url, credentials, config: { delivery: 'lossless' } })
  let results = 0
  const reading = (async () => {
    for await (const _ of stream.results) results += 1
  })()
  const data = Buffer.alloc(3 * 28 * 28, plantedPixels)
  for (const wanted of [5, 10]) {
    for (let i = 0; i < 5; i++) await stream.send({ data, codec: 'rgb24', width: 28, height: 28 })
    await eventually(() => results).toBe(wanted)
    if (wanted === 5) await disturb()
  }
  await stream.close()
  await reading
}

async function resumedStream({ url, mine, other }: PlantedRun, secrets: string[]): Promise<void> {
  const headers = { ...mine.headers, 'x-forwarded-for': forwardedAddress }
  const first = await openStream(url, { delivery: 'lossless', resumable: true }, { headers })
  first.ws.terminate()
  const { session, resumeToken: token } = first.ready
  const second = await openStream(url, { resume: { session, token, epoch: 0, seq: -1 } }, { headers })
  const wrong = 'planted-as-a-token-and-as-long-as-a-true-one'
  secrets.push(token!, second.ready.resumeToken!, wrong)
  const resume = { session, token: wrong, epoch: 0, seq: -1 }
  await expect(openStream(url, { resume }, { headers })).rejects.toThrow(/SESSION_UNKNOWN/)
  second.send(frameMessage(0, Buffer.from(plantedPixels.repeat(4)), { codec: 'jpeg', width: 28, height: 28 }))
  await second.next()
  second.ws.terminate()
  await expect(connect(url, { protocols: [`leadline.ticket.${other.value}`] })).rejects.toThrow(/401/)
}

/** With a webhook that is given up at once, and is told so. */
async function clipsThatTellWhere(run: PlantedRun, secrets: string[]): Promise<void> {
  const made = await ask(run, '/v1/webhooks/secret', { method: 'POST' })
  secrets.push(((await made.json()) as { secret: string }).secret.replace('whsec_', ''))
  const { port, received } = await receiver((response) => void response.writeHead(410).end())
  const hook = encodeURIComponent(`http://127.0.0.1:${port}/planted-hook-path?planted-hook-query`)
  secrets.push('planted-hook-path', 'planted-hook-query')
  await clip(run, await ask(run, `/v1/clips?results=npz&webhook=${hook}`, await video('video/mp4')))
  await eventually(() => received.length).toBe(1)
  secrets.push(received[0]!.headers['webhook-signature']!)
  const givenUp = async () => {
    const list = await ask(run, '/v1/webhooks', {})
    return ((await list.json()) as { webhooks: unknown[] }).webhooks.length
  }
  await eventually(givenUp).toBe(1)
}

async function clipsFromAddresses(run: PlantedRun, secrets: string[]): Promise<void> {
  const { body } = await video('video/mp4')
  const site = http.createServer((request, response) => {
    response.writeHead(request.url?.startsWith('/planted-clip-path') === true ? 200 : 404)
    response.end(body)
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    site.closeAllConnections()
    site.close()
  })
  const host = `127.0.0.1:${(site.address() as AddressInfo).port}`
  const from = (address: string) =>
    ask(run, '/v1/clips', {
      ...{ method: 'POST', body: JSON.stringify({ url: address, results: ['npz'] }) },
      headers: { 'content-type': 'application/json' }
    })
  secrets.push('planted-clip-path', 'planted-clip-query', 'planted-clip-password', 'planted-absent-path')
  await clip(run, await from(`http://${host}/planted-clip-path?planted-clip-query`))
  for (const address of [
    `${host}/planted-absent-path`,
    `user:planted-clip-password@${host}/x`,
    '10.0.0.1/planted-clip-path'
  ])
    expect((await from(`http://${address}`)).status).toBeGreaterThanOrEqual(400)
}

async function clipInParts(run: PlantedRun, secrets: string[]): Promise<void> {
  const name = 'planted-name-of-a-file.mp4'
  const encoded = Buffer.from(name).toString('base64')
  secrets.push(name, encoded)
  const { body } = await video(partType)
  const version = { 'tus-resumable': '1.0.0' }
  const metadata = `filename ${encoded},results ${Buffer.from('npz').toString('base64')}`
  const headers = { ...version, 'upload-length': String(body.length), 'upload-metadata': metadata }
  const begun = await ask(run, '/v1/uploads', { method: 'POST', headers })
  expect(begun.status).toBe(201)
  const part = (offset: number) =>
    ask(run, `/v1/${begun.headers.get('location')}`, {
      ...{ method: 'PATCH', body },
      headers: { ...version, 'upload-offset': String(offset), 'content-type': partType }
    })
  expect((await part(7)).status).toBe(409)
  const whole = await part(0)
  expect(whole.status).toBe(204)
  await ended(run, whole.headers.get('x-leadline-clip')!)
}

async function requestsByMistake(run: PlantedRun, secrets: string[]): Promise<void> {
  const { url, mine, other } = run
  for (const path of [`/v1/models?key=${other.value}`, `/${mine.value}`, `/v1/clips/${mine.value}`])
    await ask(run, path, {})
  await ask(run, '/v1/models', { headers: { authorization: 'Bearer planted-that-is-no-key' } })
  await speak(url, 'NONSENSE planted-as-a-request\r\n\r\n')
  await speak(
    url,
    `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${mine.value}\r\n\r\n`
  )
  secrets.push('planted-that-is-no-key', 'planted-as-a-request')
}

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
}

function ask({ url, mine }: PlantedRun, path: string, { headers, ...asked }: Asked): Promise<Response> {
  const shown = { ...mine.headers, 'x-forwarded-for': forwardedAddress, ...headers }
  return fetch(`${url}${path}`, { ...asked, headers: shown })
}

async function video(type: string) {
  const body = new Uint8Array(await mp4({ frames: 3, width: 84, height: 56 }))
  return { method: 'POST', body, headers: { 'content-type': type } }
}

async function clip(run: PlantedRun, taken: Response): Promise<void> {
  expect(taken.status).toBe(202)
  await ended(run, ((await taken.json()) as ClipBody).id)
}

async function ended(run: PlantedRun, id: string): Promise<void> {
  const state = async () => ((await (await ask(run, `/v1/clips/${id}`, {})).json()) as ClipBody).state
  await eventually(state).toBe('done')
}

/** Whatever a socket of this address is told is not looked at. */
async function speak(url: string, text: string): Promise<void> {
  const { hostname: host, port } = new URL(url)
  const socket = connectSocket({ host, port: Number(port), localAddress: socketAddress })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(text)
  await once(socket, 'data')
  socket.destroy()
}
