import { setTimeout as sleep } from 'node:timers/promises'
import { LeadlineError } from '../../../errors.ts'
import { maxCheckpointBytes } from '../../weights/checkpoint-file.ts'
import { failed, readAnswer, requestHeaders } from './answer.ts'
import { PartialFile } from './partial-file.ts'
import { StallGuard } from './stall-guard.ts'

export interface DownloadOptions {
  /** Folder for what has come so far; a later download of the same address goes on from there. */
  folder: string
  /** Longest time without a byte. @default 30_000 */
  idleTimeoutMs?: number
  /** Largest file accepted. @default what can be read */
  maxBytes?: number
  /** Wait before going on after a broken connection; doubled while nothing comes. @default 1000 */
  retryDelayMs?: number
  onProgress?: (bytes: number, totalBytes: number | null) => void
  signal?: AbortSignal
}

export interface Downloaded {
  path: string
  /** Remove it. Twice without harm. */
  discard(): Promise<void>
}

/** Tries in a row that bring nothing new, once a server has begun to send. */
const maxFruitless = 3
/** A server may call its file changed once per try at most. */
const maxTries = 50

type Settings = Required<Pick<DownloadOptions, 'idleTimeoutMs' | 'maxBytes' | 'retryDelayMs'>> &
  Pick<DownloadOptions, 'onProgress' | 'signal'>

/** Why a try ended before the file was whole, when another try may bring the rest. */
type Ending =
  | { kind: 'complete' }
  | { kind: 'changed' }
  | { kind: 'broken'; reason: string; /** whether the server had begun to send the file */ hadBegun: boolean }

/**
 * The file at an address, on disk. A broken connection is taken up where it broke, also by a later call; a file that has
 * changed meanwhile begins anew. Throws DOWNLOAD_FAILED with the address and what to do. Takes http and https.
 */
export async function download(url: string, options: DownloadOptions): Promise<Downloaded> {
  const { folder, idleTimeoutMs = 30_000, maxBytes = maxCheckpointBytes, retryDelayMs = 1000 } = options
  const settings = { ...options, idleTimeoutMs, maxBytes, retryDelayMs }
  const partial = await PartialFile.open(folder, url)
  try {
    await fetchAll(url, partial, settings)
  } finally {
    await partial.close()
    if (partial.bytes === 0) await partial.discard()
  }
  return { path: partial.path, discard: () => partial.discard() }
}

async function fetchAll(url: string, partial: PartialFile, settings: Settings): Promise<void> {
  let fruitless = 0
  for (let tries = 1; ; tries++) {
    const before = partial.bytes
    const ending = await fetchOnce(url, partial, settings)
    if (ending.kind === 'complete') return
    if (ending.kind === 'changed') await partial.restart()
    const reason = ending.kind === 'changed' ? 'the file keeps changing' : ending.reason
    fruitless = partial.bytes > before ? 0 : fruitless + 1
    const neverBegan = tries === 1 && ending.kind === 'broken' && !ending.hadBegun
    if (neverBegan || fruitless > maxFruitless || tries >= maxTries) throw givenUp(url, partial, reason)
    await sleep(settings.retryDelayMs * 2 ** fruitless, undefined, { signal: settings.signal })
  }
}

async function fetchOnce(url: string, partial: PartialFile, settings: Settings): Promise<Ending> {
  const guard = new StallGuard(settings.idleTimeoutMs, settings.signal)
  let hadBegun = false
  try {
    const response = await fetch(url, { headers: requestHeaders(partial), signal: guard.signal })
    const answer = readAnswer(response, partial, addressOf(url), settings)
    if (answer.kind === 'unavailable') return { kind: 'broken', reason: answer.reason, hadBegun }
    if (answer.kind !== 'body') return answer
    hadBegun = true
    await partial.begin(answer.from, answer)
    await receive(response, partial, settings, guard)
    return isWhole(partial) ? { kind: 'complete' } : { kind: 'broken', reason: 'the connection was cut', hadBegun }
  } catch (error) {
    settings.signal?.throwIfAborted()
    if (error instanceof LeadlineError) throw error
    return { kind: 'broken', reason: guard.isStalled ? stalled(settings) : reasonOf(error), hadBegun }
  } finally {
    guard.close()
  }
}

async function receive(response: Response, partial: PartialFile, settings: Settings, guard: StallGuard) {
  settings.onProgress?.(partial.bytes, partial.totalBytes)
  for await (const chunk of response.body ?? []) {
    guard.touch()
    await partial.append(chunk)
    if (partial.bytes > settings.maxBytes)
      throw failed(`The file has more than the ${settings.maxBytes} bytes of a checkpoint; check the address`)
    settings.onProgress?.(partial.bytes, partial.totalBytes)
  }
}

/** Without a length, the end of the body is the end of the file. */
function isWhole({ bytes, totalBytes }: PartialFile): boolean {
  return totalBytes === null || bytes === totalBytes
}

function stalled({ idleTimeoutMs }: Settings): string {
  return `nothing came for ${idleTimeoutMs / 1000} s`
}

/** fetch says "fetch failed" or "terminated"; its cause says why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause ? String(cause.code) : ''
  return reasons[code] ?? (cause.message || code)
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host could not be looked up'
}

function givenUp(url: string, partial: PartialFile, reason: string): LeadlineError {
  const kept =
    partial.bytes > 0 && partial.validator !== null
      ? `${partial.bytes} bytes are kept: the same command goes on from there`
      : 'check the address and the network, or download it otherwise and add the path'
  return failed(`${addressOf(url)} could not be downloaded: ${reason}; ${kept}`)
}

/** An address for people and files: what follows "?" may be a signature that lets others in. */
export function addressOf(url: string): string {
  return url.replace(/[?#].*$/s, '')
}
