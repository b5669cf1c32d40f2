import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { LeadlineError } from '../../errors.ts'
import type { RecordingEntry, RecordingHead } from './recording-line.ts'
import { readLine, recordingVersion } from './recording-line.ts'

export interface Recording {
  head: RecordingHead
  entries: RecordingEntry[]
  /** It has no end: whoever wrote it was stopped. */
  isCut: boolean
}

/** All of it, or up to where it was cut off. Throws DATA_INVALID. */
export async function readRecording(path: string): Promise<Recording> {
  let head: RecordingHead | null = null
  const entries: RecordingEntry[] = []
  try {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      const line = readLine(text)
      if (head === null) head = headOf(path, text, line)
      else if (line === null) return { head, entries, isCut: true }
      else if ('end' in line) return { head, entries, isCut: false }
      else if (!('leadlineRecording' in line)) entries.push(line)
    }
  } catch (error) {
    if (error instanceof LeadlineError) throw error
    throw new LeadlineError('DATA_INVALID', `"${path}" cannot be read: ${(error as Error).message}`)
  }
  if (head === null) throw new LeadlineError('DATA_INVALID', `"${path}" is empty`)
  return { head, entries, isCut: true }
}

function headOf(path: string, text: string, line: ReturnType<typeof readLine>): RecordingHead {
  if (line !== null && 'leadlineRecording' in line) return line
  const version = /"leadlineRecording":(\d+)/.exec(text)?.[1]
  const reason =
    version === undefined
      ? 'is no recording; "leadline record" makes one'
      : `is a recording of version ${version}, and this program reads ${recordingVersion}`
  throw new LeadlineError('DATA_INVALID', `"${path}" ${reason}`)
}
