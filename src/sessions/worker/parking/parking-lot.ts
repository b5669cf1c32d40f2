import { LeadlineError } from '../../../errors.ts'
import type { Log } from '../../log.ts'
import type { WorkerMeter, WorkerSessionState } from '../../metrics/session-meters.ts'
import type { ParkReason } from '../../../session.ts'
import type { DeviceSeat } from './device-seat.ts'
import type { ParkTimes, Seat } from './park-policy.ts'
import { parkableBytes, parkSteps, toMakeRoom } from './park-policy.ts'

interface ParkingLotOptions {
  /** Device memory of the worker. */
  capacityBytes: number
  times: ParkTimes
  meter: WorkerMeter | undefined
  log: Log
}

const everyMs = 500

/** The sessions of a worker as far as they take device memory: parks the idle, and others where one needs room. */
export class ParkingLot {
  readonly #options: ParkingLotOptions
  readonly #seats = new Map<string, DeviceSeat>()
  #timer: NodeJS.Timeout | null = null
  /** Room is made for one at a time, so that nobody is counted twice. */
  #making: Promise<unknown> = Promise.resolve()

  constructor(options: ParkingLotOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => this.#round(), everyMs)
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
  }

  add(seat: DeviceSeat): void {
    this.#seats.set(seat.id, seat)
  }

  remove(sessionId: string): void {
    this.#seats.delete(sessionId)
  }

  /** One without a seat has not been opened yet. */
  stateOf(sessionId: string): WorkerSessionState {
    return this.#seats.get(sessionId)?.sessionState ?? 'opening'
  }

  /** A session was back on the device for a frame that had to wait so long for its outcome. */
  unparked(ms: number): void {
    this.#options.meter?.unparked(ms / 1000)
  }

  /** Device memory that could be had by parking. */
  get parkableBytes(): number {
    return parkableBytes(this.#views(), this.#options.times.spareMs)
  }

  /** What needs so many bytes, and throws NO_CAPACITY where there is no room: then others are parked for it. */
  async admit<T>(bytes: number, enter: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await enter()
      } catch (error) {
        const isFull = error instanceof LeadlineError && error.code === 'NO_CAPACITY'
        if (!isFull || !(await this.makeRoom(bytes))) throw error
      }
    }
  }

  /** For a session that found no room for so many bytes. False: there is nobody to park. */
  makeRoom(bytes: number): Promise<boolean> {
    const made = this.#making.then(() => this.#makeRoom(bytes))
    this.#making = made
    return made
  }

  async #makeRoom(bytes: number): Promise<boolean> {
    const { capacityBytes, log, times } = this.#options
    const seats = this.#views()
    const freeBytes = capacityBytes - seats.reduce((sum, seat) => sum + seat.bytes, 0)
    // Others may be about to take what is free here: whoever asks has found too little.
    const need = { bytes: Math.max(1, bytes - Math.max(0, freeBytes)), spareMs: times.spareMs }
    const ids = toMakeRoom(seats, need)
    const freed = await Promise.all(ids.map((id) => this.#park(id, 'capacity')))
    const freedBytes = freed.reduce((sum, one) => sum + one, 0)
    if (freedBytes > 0) log.info({ sessions: ids.length, bytes: freedBytes }, 'parked sessions for another')
    return freedBytes > 0
  }

  #round(): void {
    const { notices, parks } = parkSteps(this.#views(), this.#options.times)
    for (const seat of this.#seats.values()) void seat.note()
    for (const { id, deadlineMs } of notices) this.#seats.get(id)?.notify(deadlineMs, 'idle')
    for (const id of parks) void this.#park(id, 'idle')
  }

  async #park(id: string, reason: ParkReason): Promise<number> {
    const bytes = (await this.#seats.get(id)?.park(reason)) ?? 0
    if (bytes > 0) this.#options.meter?.evicted(reason)
    return bytes
  }

  #views(): Seat[] {
    return [...this.#seats.values()].flatMap(({ view }) => view ?? [])
  }
}
