import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { diskFailure } from '../../machine/disk-failure.ts'
import { LeadlineError } from '../../errors.ts'
import { FolderHeldError, lockFolder, toldHolder } from '../../machine/folder-lock.ts'
import { makeFolder } from '../../machine/make-folder.ts'
import type { UsageEntry } from '../../metering/measures.ts'
import type { Log } from '../../sessions/index.ts'
import { DaySums } from '../memory/day-sums.ts'
import type { KeptMark } from '../memory/marks.ts'
import { Marks } from '../memory/marks.ts'
import { oldestDay } from '../usage-store.ts'
import type { UsageRow, UsageStore, UsageWish } from '../usage-store.ts'
import { Journal, readJournal } from './journal.ts'

const setting = 'LEADLINE_DATA_DIR'
const totalsFile = 'totals.json'
/** Beyond this a journal is summed up, and a new one begun. */
const maxJournalBytes = 2 ** 20
/** For so long a loss of power may take back what was counted. */
const syncMs = 1000

/** All that journals through this one had. */
interface Totals {
  through: number
  rows: UsageRow[]
  marks: KeptMark[]
}

/**
 * Usage in a folder, for one process: sums, and a journal of what came since. An entry is in the journal before `count`
 * returns. Sums are put in place whole and name the last journal that they have, so that whenever the process dies each
 * entry is in one of them.
 */
export class FolderUsageStore implements UsageStore {
  readonly #folder: string
  readonly #log: Log
  readonly #unlock: () => void
  readonly #maxJournalBytes: number
  readonly #sums = new DaySums()
  readonly #marks = new Marks()
  #number = 0
  #journal: Journal | null = null
  #syncTimer: NodeJS.Timeout | null = null
  /** Whether the disk took the last entry. */
  #isFailing = false
  /** One after the other. */
  #summing: Promise<void> = Promise.resolve()
  #isSumming = false
  #closed: Promise<void> | null = null

  private constructor(
    folder: string,
    log: Log,
    { unlock, maxBytes }: { unlock: () => void; maxBytes: number }
  ) {
    this.#folder = folder
    this.#log = log
    this.#unlock = unlock
    this.#maxJournalBytes = maxBytes
  }

  /** Throws STORAGE_UNUSABLE and STORAGE_FULL; nothing is left open. */
  static async open(folder: string, log: Log, maxBytes = maxJournalBytes): Promise<FolderUsageStore> {
    let unlock: (() => void) | null = null
    try {
      await makeFolder(folder, 0o700)
      unlock = lockFolder(folder)
      const store = new FolderUsageStore(folder, log, { unlock, maxBytes })
      await store.#load()
      return store
    } catch (error) {
      unlock?.()
      if (error instanceof FolderHeldError)
        throw new LeadlineError(
          'STORAGE_UNUSABLE',
          `The data folder ${path.dirname(folder)} is in use by ${toldHolder(error)}; stop that server, or set another ${setting}`
        )
      throw diskFailure(error, `The folder of usage ${folder}`, setting) ?? error
    }
  }

  async count(entry: UsageEntry): Promise<boolean> {
    const nowMs = Date.now()
    const { mark, ...counted } = entry
    if (!this.#marks.set(mark, nowMs)) return false
    this.#sums.add(counted)
    const { name, number, keptMs } = mark
    this.#write(() => this.#journal?.add({ ...counted, mark: { name, number, untilMs: nowMs + keptMs } }))
    if ((this.#journal?.bytes ?? 0) > this.#maxJournalBytes) this.#sumUp()
    return true
  }

  async read(wish: UsageWish): Promise<UsageRow[]> {
    return this.#sums.read(wish)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#summing
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer)
    this.#write(() => this.#journal?.write())
    await this.#journal?.sync().catch((error: unknown) => this.#warn(error))
    this.#journal?.close()
    this.#journal = null
    this.#unlock()
  }

  async #load(): Promise<void> {
    const totals = await this.#readTotals()
    for (const row of totals.rows) this.#sums.add(row)
    for (const mark of totals.marks) this.#marks.keep(mark)
    const journals = await this.#journals()
    for (const number of journals.filter((one) => one > totals.through)) {
      for (const { mark, ...counted } of readJournal(await readFile(this.#path(number), 'utf8'))) {
        this.#sums.add(counted)
        this.#marks.keep(mark)
      }
    }
    this.#number = Math.max(totals.through, ...journals)
    await this.#begin()
  }

  async #readTotals(): Promise<Totals> {
    const file = path.join(this.#folder, totalsFile)
    try {
      return JSON.parse(await readFile(file, 'utf8')) as Totals
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
        return { through: 0, rows: [], marks: [] }
      if (!(error instanceof SyntaxError)) throw error
      throw new LeadlineError('STORAGE_UNUSABLE', `${file} does not hold usage; move it elsewhere`)
    }
  }

  async #journals(): Promise<number[]> {
    const files = await readdir(this.#folder)
    return files
      .flatMap((file) => /^journal-(\d+)\.jsonl$/.exec(file)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  }

  #path(number: number): string {
    return path.join(this.#folder, `journal-${number}.jsonl`)
  }

  /** What comes from here on is in a new journal, and what came before will be in the sums. Rejects with the system's error. */
  async #begin(): Promise<void> {
    const [before, through] = [this.#journal, this.#number]
    before?.write()
    this.#journal = new Journal(this.#path(through + 1))
    this.#number = through + 1
    const nowMs = Date.now()
    this.#sums.forgetBefore(oldestDay(nowMs))
    this.#marks.forgetOld(nowMs)
    const totals: Totals = { through, rows: this.#sums.rows, marks: this.#marks.list }
    before?.close()
    const file = path.join(this.#folder, totalsFile)
    await writeFile(`${file}.part`, JSON.stringify(totals), { mode: 0o600, flush: true })
    await rename(`${file}.part`, file)
    for (const number of await this.#journals()) if (number <= through) await rm(this.#path(number))
  }

  #sumUp(): void {
    if (this.#isSumming) return
    this.#isSumming = true
    this.#summing = this.#begin()
      .catch((error: unknown) => this.#warn(error))
      .finally(() => (this.#isSumming = false))
  }

  /** What the disk does not take is counted all the same, and tried again with what follows. */
  #write(write: () => void): void {
    try {
      write()
      if (this.#isFailing) this.#log.info({}, 'usage is written again')
      this.#isFailing = false
      this.#syncTimer ??= setTimeout(() => this.#sync(), syncMs).unref()
    } catch (error) {
      if (!this.#isFailing) this.#warn(error)
      this.#isFailing = true
    }
  }

  #sync(): void {
    this.#syncTimer = null
    this.#journal?.sync().catch((error: unknown) => this.#warn(error))
  }

  #warn(error: unknown): void {
    const failure = diskFailure(error, `The folder of usage ${this.#folder}`, setting)
    this.#log.error({ err: failure ?? error }, 'usage is counted and cannot be written; it is tried again')
  }
}
