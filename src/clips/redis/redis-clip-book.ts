import type { RedisConnections, RedisScripts } from '../../sessions/index.ts'
import { patiently } from '../../sessions/index.ts'
import type { Claim, ClipBook, ClipListWish, ClipPage, ClipRow, Standing } from '../books/clip-book.ts'
import { hasEnded, placeOf } from '../books/clip-book.ts'
import type { Clip, ClipState } from '../clip.ts'
import { clipTtlMs } from './clip-keys.ts'
import type { ClipKeys } from './clip-keys.ts'

/** Rows that are read at once to fill a page by state. */
const rowsPerRead = 200

/** The book of all gateways of a Redis. The document of a clip stands in its row as it was put; what changes stands beside it. */
export class RedisClipBook implements ClipBook {
  readonly #redis: RedisConnections
  readonly #scripts: RedisScripts
  readonly #keys: ClipKeys

  constructor(redis: RedisConnections, scripts: RedisScripts, keys: ClipKeys) {
    this.#redis = redis
    this.#scripts = scripts
    this.#keys = keys
  }

  async put({ clip, owner, storage }: ClipRow): Promise<boolean> {
    const keys = [this.#keys.row(clip.id), this.#keys.places(), this.#keys.placesOf(owner)]
    const fields = [...fieldsOf(clip), 'owner', owner ?? '', 'storage', storage]
    return (await this.#run('putClip', keys, [placeOf(clip), clipTtlMs, ...fields])) === 1
  }

  async get(id: string): Promise<ClipRow | null> {
    return rowOf(await this.#patiently(() => this.#redis.control.hgetall(this.#keys.row(id))))
  }

  async list({ owner, states, limit, cursor }: ClipListWish): Promise<ClipPage> {
    const key = owner === null ? this.#keys.places() : this.#keys.placesOf(owner)
    const found: ClipRow[] = []
    for (let before = cursor; ;) {
      const places = await this.#placesBefore(key, before)
      for (const row of await this.#rowsAt(key, places)) {
        if (states.length > 0 && !states.includes(row.clip.state)) continue
        if (found.length === limit) return { rows: found, cursor: placeOf(found.at(-1)!.clip) }
        found.push(row)
      }
      if (places.length < rowsPerRead) return { rows: found, cursor: null }
      before = places.at(-1) ?? null
    }
  }

  async claim(id: string, run: string, holdMs: number): Promise<Claim> {
    const found = await this.#run('claimClip', [this.#keys.row(id)], [run, holdMs])
    if (found === 'held') return { kind: 'held' }
    const row = await this.get(id)
    if (found === 'over' || row === null || hasEnded(row.clip)) return { kind: 'over', row }
    return { kind: 'taken', row }
  }

  async keep(
    id: string,
    run: string,
    { frames, holdMs }: { frames: number; holdMs: number }
  ): Promise<Standing> {
    return (await this.#run('keepClip', [this.#keys.row(id)], [run, frames, holdMs])) as Standing
  }

  async settle(id: string, run: string, clip: Clip): Promise<Standing> {
    return (await this.#run('settleClip', [this.#keys.row(id)], [run, ...fieldsOf(clip)])) as Standing
  }

  async cancel(id: string, endedAt: string): Promise<ClipRow | null> {
    const isCancelled = (await this.#run('cancelClip', [this.#keys.row(id)], [endedAt])) === 1
    return isCancelled ? this.get(id) : null
  }

  async remove(id: string): Promise<void> {
    const row = await this.get(id)
    if (row === null) return
    const place = placeOf(row.clip)
    await this.#patiently(() =>
      this.#redis.control
        .multi()
        .zrem(this.#keys.places(), place)
        .zrem(this.#keys.placesOf(row.owner), place)
        .del(this.#keys.row(id))
        .exec()
    )
  }

  async isKnown(storage: string): Promise<boolean> {
    const isKnown = await this.#patiently(() =>
      this.#redis.control.pexpire(this.#keys.known(storage), clipTtlMs)
    )
    return isKnown === 1
  }

  async know(storage: string): Promise<void> {
    await this.#patiently(() => this.#redis.control.set(this.#keys.known(storage), '', 'PX', clipTtlMs))
  }

  async close(): Promise<void> {
    this.#redis.close()
  }

  async #placesBefore(key: string, before: string | null): Promise<string[]> {
    const from = before === null ? '+' : `(${before}`
    return this.#patiently(() => this.#redis.control.zrevrangebylex(key, from, '-', 'LIMIT', 0, rowsPerRead))
  }

  /** A place whose row is gone is taken out. */
  async #rowsAt(key: string, places: readonly string[]): Promise<ClipRow[]> {
    const ids = places.map((place) => place.slice(place.indexOf('_') + 1))
    const read = () => {
      const reading = this.#redis.control.pipeline()
      for (const id of ids) reading.hgetall(this.#keys.row(id))
      return reading.exec()
    }
    const answers = (await this.#patiently(read)) ?? []
    const rows = answers.map(([, hash]) => rowOf((hash ?? {}) as Record<string, string>))
    const gone = places.filter((_, i) => rows[i] === null)
    if (gone.length > 0) await this.#patiently(() => this.#redis.control.zrem(key, ...gone))
    return rows.filter((row) => row !== null)
  }

  #run(script: string, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    return this.#patiently(() => this.#scripts.run(script, keys, values))
  }

  #patiently<T>(send: () => Promise<T>): Promise<T> {
    return patiently(this.#redis, send)
  }
}

function fieldsOf(clip: Clip): (string | number)[] {
  const { state, progress, endedAt } = clip
  return [
    ...['clip', JSON.stringify(clip), 'state', state],
    ...['frames', progress.frames, 'endedAt', endedAt ?? '']
  ]
}

function rowOf(hash: Record<string, string>): ClipRow | null {
  if (hash.clip === undefined) return null
  const clip = JSON.parse(hash.clip) as Clip
  return {
    clip: {
      ...clip,
      state: hash.state as ClipState,
      progress: { ...clip.progress, frames: Number(hash.frames) },
      ...(hash.endedAt ? { endedAt: hash.endedAt } : {})
    },
    owner: hash.owner || null,
    storage: hash.storage ?? ''
  }
}
