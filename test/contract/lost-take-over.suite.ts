import { describe, expect, test } from 'vitest'
import type { SessionGatewayOptions } from '../../src/sessions/gateway/session-gateway.ts'
import type { Sessions } from '../../src/sessions/index.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { eventually } from '../helpers/eventually.ts'
import { HashEngine } from '../helpers/hash-engine.ts'
import { ResumingClient } from '../helpers/resuming-client.ts'

/** Gateways and workers that meet somewhere, each of which may be killed. What it starts ends with the test. */
export interface MortalCell {
  store: SessionStore
  startGateway(options?: Partial<SessionGatewayOptions>): Promise<Sessions & Mortal>
  startWorker(engine: HashEngine): Promise<Mortal & { close(): Promise<void> }>
}

interface Mortal {
  /** As a crash: from then on it says and hears nothing. */
  kill(): void
}

const settings = { ringBytes: 2 ** 20, graceMs: 30_000 }

/** What becomes of a session that lost its worker while its client was away, or its gateway with it. */
export function lostTakeOverSuite(name: string, makeCell: () => Promise<MortalCell>): void {
  /** A session on a worker, of which so many frames have their outcome. */
  async function playing(frames: number) {
    const cell = await makeCell()
    const gateway = await cell.startGateway(settings)
    const engine = new HashEngine()
    const worker = await cell.startWorker(engine)
    const client = await ResumingClient.open(gateway)
    client.send(...seqs(0, frames))
    await client.received(frames)
    const lost = () => eventually(async () => (await cell.store.session(client.id))?.state).toBe('lost')
    return { cell, gateway, engine, worker, client, lost }
  }

  describe(`${name}: a session whose worker was lost behind its client's back`, { timeout: 60_000 }, () => {
    test('goes on exactly, from what the gateway that it left still has', async () => {
      const { cell, client, gateway, lost, worker } = await playing(5)
      await client.handle.detach()
      worker.kill()
      await lost()
      const { resumed, wanted } = await client.resume(gateway)
      expect(resumed).toMatchObject({ continuity: 'rebuilt', epoch: 0, seq: 4, after: 4, unsettled: [] })
      expect(wanted).toBeUndefined()
      client.send(5, 6)
      await cell.startWorker(new HashEngine())
      await client.received(7)
      expect(client.witness()).toEqual(['exact'])
    })

    test('is rebuilt from what its client sends again, where its gateway is lost as well', async () => {
      const { cell, client, gateway, lost, worker } = await playing(40)
      gateway.kill()
      worker.kill()
      const other = await cell.startGateway(settings)
      await lost()
      await cell.startWorker(new HashEngine())
      const { resumed, wanted } = await client.resume(other)
      expect(resumed).toMatchObject({ continuity: 'new', epoch: 0, seq: 39, after: 39 })
      expect(wanted).toMatchObject({ frames: 21 })
      client.send(40, 41)
      await client.received(42)
      expect(client.witness()).toEqual(['rebuilt'])
      expect(client.log.all[0]).toMatchObject({ type: 'recovered', seq: 40, epoch: 1 })
    })

    test('is rebuilt all the same where its client was cut off before it could send any of that', async () => {
      const { cell, client, gateway, lost, worker } = await playing(40)
      gateway.kill()
      worker.kill()
      const other = await cell.startGateway(settings)
      await lost()
      await cell.startWorker(new HashEngine())
      const position = { ...client.position, epoch: 3 }
      const cut = await other.resume(position, () => {})
      expect(cut).toMatchObject({ resumed: { epoch: 3 }, wanted: { frames: 21 } })
      await cut.detach()
      const { resumed, wanted } = await client.resume(other, position)
      expect(resumed).toMatchObject({ continuity: 'new', epoch: 3, seq: 39, after: 39 })
      expect(wanted).toMatchObject({ frames: 21 })
      client.send(40)
      await client.received(41)
      expect(client.witness()).toEqual(['rebuilt'])
      expect(client.log.all[0]).toMatchObject({ type: 'recovered', seq: 40, epoch: 4 })
    })

    test('begins anew where its client kept nothing, and says so', async () => {
      const { cell, client, gateway, lost, worker } = await playing(3)
      gateway.kill()
      worker.kill()
      const other = await cell.startGateway(settings)
      await lost()
      await cell.startWorker(new HashEngine())
      client.keeps = 0
      await client.resume(other)
      client.send(3)
      await client.received(4)
      expect(client.witness()).toEqual(['new'])
    })

    test('is not given up while nobody has noted yet that the worker is gone', async () => {
      const { cell, client, gateway, worker } = await playing(40)
      gateway.kill()
      worker.kill()
      const other = await cell.startGateway(settings)
      await cell.startWorker(new HashEngine())
      const { resumed } = await client.resume(other)
      expect(resumed.continuity).toBe('new')
      client.send(40)
      await client.received(41)
      expect(client.witness()).toEqual(['rebuilt'])
    })

    test('loses no frame: those without outcome, and outcomes that did not arrive, are asked for again', async () => {
      const { cell, client, engine, gateway, lost, worker } = await playing(5)
      engine.hold()
      client.send(5, 6)
      await eventually(() => engine.sessions.get(client.id)?.waiting.length).toBe(2)
      gateway.kill()
      worker.kill()
      const other = await cell.startGateway(settings)
      await lost()
      client.forgetAfter(2)
      const { resumed } = await client.resume(other)
      expect(resumed).toMatchObject({ seq: 2, after: 2, unsettled: [] })
      await cell.startWorker(new HashEngine())
      await client.received(7)
      expect(client.witness()).toEqual(['rebuilt'])
    })

    test('takes what its gateway has of it no further than the client has it', async () => {
      const { cell, client, gateway, lost, worker } = await playing(5)
      await client.handle.detach()
      worker.kill()
      await lost()
      client.forgetAfter(2)
      await client.resume(gateway)
      await cell.startWorker(new HashEngine())
      await client.received(5)
      expect(client.witness()).toEqual(['exact'])
    })

    test('goes on in the epoch that its client knows, where its worker began another and nobody heard of it', async () => {
      const { cell, client, engine, gateway, lost, worker } = await playing(5)
      engine.hold()
      client.send(5)
      client.handle.reset()
      await client.handle.detach()
      await eventually(async () => (await cell.store.session(client.id))?.gatewayId).toBeNull()
      engine.resume()
      await eventually(async () => (await cell.store.session(client.id))?.epoch).toBe(1)
      worker.kill()
      await lost()
      const { resumed } = await client.resume(gateway)
      expect(resumed).toMatchObject({ continuity: 'rebuilt', epoch: 0, seq: 4, after: 4 })
      client.handle.reset()
      client.send(6)
      await cell.startWorker(new HashEngine())
      await client.received(7)
      expect(client.witness()).toEqual(['exact'])
      const epochs = client.log.all.flatMap((event) => (event.type === 'reset' ? [event.epoch] : []))
      expect(epochs).toEqual([1])
    })

    test('is told again what its next worker said of its past, where nobody heard that', async () => {
      const { cell, client, gateway, lost, worker } = await playing(40)
      await client.handle.detach()
      worker.kill()
      await lost()
      await client.resume(gateway)
      await cell.startWorker(new HashEngine())
      client.send(40)
      await client.received(41)
      client.forgetAfter(39)
      await client.resume(await cell.startGateway(settings))
      client.send(41)
      await client.received(42)
      expect(client.witness()).toEqual(['rebuilt'])
    })

    test('and so it is after another gateway has had it, and lost its worker', async () => {
      const { cell, client, gateway, worker } = await playing(40)
      client.ack()
      await client.handle.detach()
      const other = await cell.startGateway(settings)
      await client.resume(other)
      const engine = new HashEngine()
      await cell.startWorker(engine)
      worker.kill()
      await eventually(() => engine.sessions.has(client.id)).toBe(true)
      client.send(40)
      await client.received(41)
      client.forgetAfter(39)
      await client.resume(gateway)
      client.send(41)
      await client.received(42)
      expect(client.witness()).toEqual(['new'])
    })

    test('may be left while a worker is looked for, and waits for its client', async () => {
      const { cell, client, gateway, lost, worker } = await playing(5)
      worker.kill()
      await lost()
      await client.handle.detach()
      await cell.startWorker(new HashEngine())
      await eventually(async () => (await cell.store.session(client.id))?.gatewayId).toBeNull()
      await client.resume(gateway)
      client.send(5)
      await client.received(6)
      expect(client.witness()).toHaveLength(1)
    })

    test('is not over with a worker that leaves and finds nobody to give it to', async () => {
      const { cell, client, engine, worker } = await playing(5)
      engine.hold()
      client.send(5, 6)
      await eventually(() => engine.sessions.get(client.id)?.waiting.length).toBe(2)
      await worker.close()
      expect(engine.sessions.size).toBe(0)
      await cell.startWorker(new HashEngine())
      client.send(7)
      await client.received(8)
      expect(client.witness()).toEqual(['exact'])
    })

    test('keeps an outcome that its gateway made while the next worker was opening it', async () => {
      const { cell, client, worker } = await playing(5)
      const slow = new SlowEngine()
      await cell.startWorker(slow)
      worker.kill()
      await eventually(() => slow.isOpening).toBe(true)
      client.settle(5)
      client.send(6)
      slow.letOpen()
      await client.received(7)
      client.forgetAfter(4)
      await client.resume(await cell.startGateway(settings))
      client.send(7)
      await client.received(8)
      expect(client.outcomes.flatMap((event) => ('seq' in event ? [event.seq] : []))).toEqual(seqs(0, 8))
    })

    test('of two resumes that wait for its next worker the former is told to try again', async () => {
      const { cell, client, worker } = await playing(5)
      const slow = new SlowEngine()
      await cell.startWorker(slow)
      worker.kill()
      await eventually(() => slow.isOpening).toBe(true)
      const token = async () => (await cell.store.session(client.id))?.token
      const former = (await cell.startGateway(settings)).resume(client.position, () => {})
      const refused = expect(former).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', isTemporary: true })
      await eventually(token).toBe(3)
      const resumed = client.resume(await cell.startGateway(settings))
      await eventually(token).toBe(4)
      await refused
      slow.letOpen()
      expect((await resumed).resumed).toMatchObject({ continuity: 'exact', after: 4 })
      client.send(5)
      await client.received(6)
    })

    test('can be taken over while its next worker makes its past anew', async () => {
      const { cell, client, gateway, worker } = await playing(5)
      const slow = new SlowEngine()
      await cell.startWorker(slow)
      worker.kill()
      await eventually(() => slow.isOpening).toBe(true)
      const other = await cell.startGateway(settings)
      const resumed = client.resume(other)
      await eventually(async () => (await cell.store.session(client.id))?.token).toBeGreaterThan(2)
      slow.letOpen()
      expect((await resumed).resumed).toMatchObject({ continuity: 'exact', after: 4 })
      client.send(5)
      await client.received(6)
      expect(client.witness()).toEqual(['exact'])
      await gateway.close()
    })
  })
}

/** Opens nothing until it may. */
class SlowEngine extends HashEngine {
  isOpening = false
  letOpen: () => void = () => {}
  readonly #mayOpen = new Promise<void>((resolve) => (this.letOpen = resolve))

  override async open(...args: Parameters<HashEngine['open']>) {
    this.isOpening = true
    await this.#mayOpen
    return super.open(...args)
  }
}

function seqs(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i)
}
