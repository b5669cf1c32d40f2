import type { Clip } from '../clip.ts'

/** The video of a clip, in its folder. */
export const sourceFile = 'clip'

const checkpointName = /^context-(\d{8})\.llcx$/

/** What its session remembered after frame `seq`, in its folder. */
export function checkpointFile(seq: number): string {
  return `context-${String(seq).padStart(8, '0')}.llcx`
}

/** null: the name is of another file. */
export function checkpointSeq(name: string): number | null {
  const [, digits] = checkpointName.exec(name) ?? []
  return digits === undefined ? null : Number(digits)
}

/** As a clip is kept beside its files. */
export interface StoredClip {
  clip: Clip
  owner: string | null
  /** Runs one after another that began, wrote no frame and never ended: the clip may be what brings their processes down. */
  strikes: number
  /** It was counted when it had ended, and its webhook need not be told how. */
  isTold?: boolean
}

/**
 * The files of clips. Each clip has a folder on this machine, in which it is worked on; what is kept outlives the machine as
 * far as the storage does. Files of a clip never change under their name once they are kept, but the document.
 */
export interface ClipStorage {
  /** The same for everybody who reaches the same files, and for nobody else. */
  readonly id: string
  /** What a failure of it is called, and what the operator may set. */
  readonly place: string
  readonly setting: string
  /** Make the folder of a new clip. */
  create(id: string): Promise<void>
  folder(id: string): string
  /** That the folder has every file that is kept. Throws CLIP_UNKNOWN when nothing is. */
  open(id: string): Promise<void>
  /** Files of the folder, which are kept when it resolves. */
  keep(id: string, files: readonly string[]): Promise<void>
  /** The opposite, of files that nobody needs any more; here and where they were kept. */
  discard(id: string, files: readonly string[]): Promise<void>
  /** The document, likewise: after a power loss this one is there or the one before. */
  save(stored: StoredClip): Promise<void>
  /** null: none is kept. */
  read(id: string): Promise<StoredClip | null>
  /** Of every clip that is kept, oldest first. What looks like a clip and is none is named in the log and left alone. */
  list(): Promise<StoredClip[]>
  /** What of its own nobody will finish is removed: uploads that never ended, folders of clips that are gone. */
  removeLeftovers(when: { isStart: boolean }): Promise<void>
  /** Keep the document and these files, and nothing else. */
  tidy(id: string, files: readonly string[]): Promise<void>
  /** A kept file, on this machine. */
  file(id: string, name: string): Promise<string>
  remove(id: string): Promise<void>
  /** Let others have it. Twice without harm. */
  close(): Promise<void>
}
