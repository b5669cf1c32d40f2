import { closeSync, fdatasync, openSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import type { UsageEntry } from '../../metering/measures.ts'
import type { KeptMark } from '../memory/marks.ts'

/** As it lies in a journal. */
export interface JournalEntry extends Omit<UsageEntry, 'mark'> {
  mark: KeptMark
}

/**
 * A file that lines are added to, each a whole one before `add` returns: it is with the operating system then, which the
 * process may die of without losing it. Against the loss of the machine's power it has to be synced.
 */
export class Journal {
  readonly #fd: number
  /** What the disk did not take. */
  #unwritten = ''
  #bytes = 0
  #isDirty = false

  /** Throws the system's error. */
  constructor(filePath: string) {
    this.#fd = openSync(filePath, 'ax', 0o600)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Throws the system's error; what was not written then is written with the next line. */
  add(entry: JournalEntry): void {
    this.#unwritten += `${JSON.stringify(entry)}\n`
    this.write()
  }

  /** Whatever is not written yet. Throws the system's error. */
  write(): void {
    const bytes = Buffer.from(this.#unwritten)
    if (bytes.byteLength === 0) return
    this.#isDirty = true
    for (let done = 0; done < bytes.byteLength;) {
      try {
        done += writeSync(this.#fd, bytes, done)
      } catch (error) {
        // A part of a line ends here, and is none.
        if (done > 0) this.#unwritten = `\n${this.#unwritten}`
        throw error
      }
    }
    this.#bytes += bytes.byteLength
    this.#unwritten = ''
  }

  /** On the disk itself when it resolves. Rejects with the system's error. */
  async sync(): Promise<void> {
    if (!this.#isDirty) return
    this.#isDirty = false
    await promisify(fdatasync)(this.#fd)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** The entries of a journal; what a crash left of a line is left out. */
export function readJournal(text: string): JournalEntry[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as JournalEntry]
    } catch {
      return []
    }
  })
}
