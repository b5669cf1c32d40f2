import { after, expectedDepth, faded, isDepth, noLine, noPast } from '../picture.ts'
import type { Line, Past } from '../picture.ts'
import type { Breach, Entry, SessionRecord } from '../record.ts'

/** Pasts that may all be true while frames without depth may have been seen or not. More than these are not told apart. */
const maxPasts = 64
/** The longest replay that is looked for, in frames. */
const maxReplay = 64
/** How far back a single frame that is missing is looked for. */
const maxBack = 32

type Result = Extract<Entry, { type: 'result' }>

/** What the client was told of an epoch. */
interface Beginning {
  continuity: 'new' | 'rebuilt'
  /** How its depth is joined to that of the epoch before; null: nobody said. */
  line: Line | null
}

/** Of a frame whose outcome was no depth map nobody can say whether the cache saw it. */
interface Seen {
  seq: number
  isSure: boolean
}

/**
 * I4: no frame of another session is in a depth map. I5: continuity is never more than the truth. Both are read off the
 * hash chain: every depth map tells exactly which frames its cache had seen.
 */
export function checkPast(session: SessionRecord): Breach[] {
  if (!session.isTold) return []
  const check = new PastCheck(session)
  for (const entry of session.entries) check.take(entry)
  return check.breaches
}

class PastCheck {
  readonly breaches: Breach[] = []
  readonly #session: SessionRecord
  /** What the cache may have seen by now. Empty: not known any more. */
  #pasts: Past[] = [noPast]
  /** Since the past was forgotten last, whatever the epoch. */
  #seen: Seen[] = []
  #epoch = 0
  #line: Line = noLine
  #lastSent = -1
  readonly #announced = new Map<number, Beginning>()
  #owed: { hex: string; untilSeq: number } | null = null

  constructor(session: SessionRecord) {
    this.#session = session
  }

  take(entry: Entry): void {
    switch (entry.type) {
      case 'opened':
        this.#epoch = entry.epoch
        return
      case 'sent':
        this.#lastSent = Math.max(this.#lastSent, entry.seq)
        return
      case 'reset':
        this.#announced.set(entry.epoch, { continuity: 'new', line: noLine })
        return
      case 'recovered':
      case 'resumed':
        return this.#announce(entry)
      case 'flushed':
        return this.#compare(entry)
      case 'drop':
      case 'error':
        return this.#seeMaybe(entry.seq)
      case 'result':
        return this.#seeResult(entry)
      case 'cut':
      case 'lost':
      case 'ended':
    }
  }

  #announce(entry: Extract<Entry, { type: 'recovered' | 'resumed' }>): void {
    if (entry.continuity === 'exact') {
      const isKnown = entry.epoch === this.#epoch || this.#announced.has(entry.epoch)
      if (entry.type === 'recovered' && !isKnown)
        this.#breach(
          'I5',
          entry.seq,
          `recovered exact, and the epoch went from ${this.#epoch} to ${entry.epoch}`
        )
      if (entry.type === 'resumed' && entry.digest !== null) this.#owe(entry.digest)
      return
    }
    const line = entry.type === 'recovered' ? (entry.alignment ?? null) : null
    this.#announced.set(entry.epoch, { continuity: entry.continuity, line })
  }

  /** The state may be ahead of the depth maps that came: it is found again by the last frame that was sent before. */
  #owe(hex: string): void {
    this.#owed = { hex, untilSeq: this.#lastSent }
    this.#settleOwed(-1)
  }

  #settleOwed(seq: number): void {
    if (this.#owed === null || this.#pasts.length === 0) return
    const { hex, untilSeq } = this.#owed
    const isFound = this.#pasts.some((past) => hexOf(past) === hex)
    if (isFound || seq > untilSeq) this.#owed = null
    if (!isFound && seq > untilSeq)
      this.#breach('I5', seq, `resumed exact, and its digest ${hex} is of no state that the cache was in`)
  }

  #compare({ digest }: Extract<Entry, { type: 'flushed' }>): void {
    if (digest === undefined || digest.epoch !== this.#epoch || this.#pasts.length === 0) return
    if (this.#pasts.some((past) => hexOf(past) === digest.hex)) return
    this.#breach('I5', null, `flushed says digest ${digest.hex}, and its depth maps say another past`)
  }

  #seeMaybe(seq: number): void {
    this.#seen.push({ seq, isSure: false })
    const more = this.#pasts.flatMap((past) => [past, after(past, this.#session.key, seq)])
    this.#pasts = more.length <= maxPasts ? more : []
  }

  #seeResult(result: Result): void {
    const { seq, epoch } = result
    const beginning = epoch === this.#epoch ? null : this.#begin(result)
    if (beginning?.continuity === 'rebuilt') this.#pasts = this.#goOnRebuilt(result, beginning)
    else if (this.#pasts.length > 0) {
      const fitting = this.#fitting(this.#pasts, result)
      this.#pasts = fitting.length > 0 ? fitting : this.#tellAbout(result)
    }
    this.#line = faded(this.#line)
    this.#seen.push({ seq, isSure: true })
    this.#settleOwed(seq)
  }

  #begin({ seq, epoch }: Result): Beginning {
    const told = this.#announced.get(epoch)
    if (epoch < this.#epoch) this.#breach('I5', seq, `epoch ${epoch} came after epoch ${this.#epoch}`)
    else if (told === undefined && this.#session.hearsEpochs)
      this.#breach('I5', seq, `epoch ${epoch} began without a word`)
    this.#epoch = epoch
    this.#owed = null
    this.#line = noLine
    if (told?.continuity !== 'new') return told ?? { continuity: 'rebuilt', line: null }
    this.#seen = []
    this.#pasts = [noPast]
    return told
  }

  /** A worker of its own has shown the last frame before, and the line is one frame older there. */
  #goOnRebuilt(result: Result, { line }: Beginning): Past[] {
    if (line === null) return []
    const found = [line, faded(line)].flatMap((joined) => {
      this.#line = joined
      const fitting = this.#fitting(this.#pasts, result)
      const pasts = fitting.length > 0 ? fitting : this.#findReplay(result)
      return pasts ? [{ joined, pasts }] : []
    })
    // A line that is almost none is hard to tell from itself one frame on.
    const [nearest] = found.toSorted((a, b) => distance(result, a) - distance(result, b))
    if (!nearest) return this.#tellAbout(result)
    this.#line = nearest.joined
    return nearest.pasts
  }

  #fitting(pasts: readonly Past[], { seq, depth }: Result): Past[] {
    const { key } = this.#session
    return pasts
      .map((past) => after(past, key, seq))
      .filter(
        (past) => depth !== null && depth !== 'foreign' && isDepth(depth, expectedDepth(past), this.#line)
      )
  }

  /** The replay that this depth map was made after, if it is one: some of the last frames, without a gap. */
  #findReplay(result: Result): Past[] | null {
    const sure = this.#seen.filter(({ isSure }) => isSure).map(({ seq }) => seq)
    const all = this.#seen.map(({ seq }) => seq)
    for (const seqs of sure.length === all.length ? [sure] : [sure, all]) {
      for (const count of likelyFirst(Math.min(maxReplay, seqs.length))) {
        const fitting = this.#fitting([this.#replay(seqs.slice(seqs.length - count))], result)
        if (fitting.length === 0) continue
        noteLength(count)
        return fitting
      }
    }
    return null
  }

  #replay(seqs: readonly number[]): Past {
    return seqs.reduce((past, seq) => after(past, this.#session.key, seq), noPast)
  }

  /** Say what a depth map that does not fit was made after, as far as it can be found. */
  #tellAbout(result: Result): Past[] {
    const { depth, seq } = result
    if (depth === 'foreign') {
      this.#breach('I4', seq, 'its depth map is of no picture of its own session')
      return []
    }
    const joined = this.#line
    this.#line = noLine
    const jumped = joined === noLine ? [] : this.#fitting(this.#pasts, result)
    if (jumped.length > 0) {
      this.#breach('I5', seq, `its scale and shift jumped: ${JSON.stringify(joined)} was left out`)
      return jumped
    }
    const replayed = this.#findReplay(result)
    if (replayed) {
      const frames = (replayed[0]?.seen ?? 1) - 1
      this.#breach('I5', seq, `its cache had seen the last ${frames} frames alone, of ${this.#seen.length}`)
      return replayed
    }
    const seqs = this.#seen.map((seen) => seen.seq)
    for (const missing of seqs.slice(-maxBack).reverse()) {
      const fitting = this.#fitting([this.#replay(seqs.filter((one) => one !== missing))], result)
      if (fitting.length === 0) continue
      this.#breach('I5', seq, `its cache had not seen frame ${missing}`)
      return fitting
    }
    this.#breach('I4', seq, 'its depth map follows from no past of its own session')
    return []
  }

  #breach(invariant: Breach['invariant'], seq: number | null, what: string): void {
    this.breaches.push({ invariant, session: this.#session.key, seq, what })
  }
}

function hexOf({ digest }: Past): string {
  return digest.toString('hex', 0, 16)
}

/** Of a depth map's stretch from that of a past, joined so. */
function distance({ depth }: Result, { joined, pasts }: { joined: Line; pasts: readonly Past[] }): number {
  const [past] = pasts
  if (depth === null || depth === 'foreign' || !past) return Infinity
  return Math.abs(depth.stretch - joined.scale * expectedDepth(past).stretch)
}

/** Replays are mostly as long as those before: that saves a checker most of its hashing. */
const lengths: number[] = []

function noteLength(count: number): void {
  if (!lengths.includes(count)) lengths.push(count)
}

function likelyFirst(most: number): number[] {
  const rest = Array.from({ length: most + 1 }, (_, i) => most - i)
  return [...new Set([...lengths.filter((count) => count <= most), ...rest])]
}
