import type { ChildProcess, StdioOptions } from 'node:child_process'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { LeadlineError } from '../errors.ts'

export type MediaToolName = 'ffmpeg' | 'ffprobe'

/**
 * Containers that may be opened. Playlists and concat scripts are left out: they name other files and addresses, which
 * an uploaded clip must not be able to read.
 */
export const containers =
  'mov,matroska,avi,mpegts,mpeg,mpegvideo,ogg,flv,asf,gif,apng,h264,hevc,obu,ivf,m4v,mjpeg,nut,mxf,dv,yuv4mpegpipe'

/** Arguments in front of every input that comes from outside. */
export function inputArguments(videoPath: string): string[] {
  return ['-protocol_whitelist', 'file,pipe', '-format_whitelist', containers, '-i', `file:${videoPath}`]
}

export interface MediaToolOptions {
  stdio: StdioOptions
  /** The file it works on; what the tool says names it without its folder. */
  videoPath?: string
  /** Of the processor, before it is ended. @default two hours, more than the longest clip takes */
  cpuSeconds?: number
  /** Called with each line on stderr. */
  onLine?: (line: string) => void
}

export interface MediaTool {
  child: ChildProcess
  /** Resolves with the exit code (null: killed) once all output is read. Throws TOOL_MISSING when it cannot start. */
  exited: Promise<number | null>
  /** The last two reasons to fail that it gave so far; empty when there was none. */
  complaint(): string
}

/** Memory of one tool, in KiB: 8K video on many cores takes some 2 GiB. What asks for more fails alone. */
const maxDataKib = 4 * 2 ** 20
/** In a shell: what it runs in its place has these limits, writes no core, and is still the child that is started. */
const withLimits = (cpuSeconds: number) =>
  `ulimit -c 0; ulimit -d ${maxDataKib}; ulimit -t ${cpuSeconds}; exec "$@"`
const usualCpuSeconds = 7200
/** By which a shell says that there is no such program, or that it cannot be run (POSIX, 2.8.2). */
const missingCodes: readonly (number | null)[] = [126, 127]
const hasShell = process.platform !== 'win32'

function limited(command: readonly [string, ...string[]], cpuSeconds: number): [string, ...string[]] {
  return hasShell ? ['/bin/sh', '-c', withLimits(cpuSeconds), 'sh', ...command] : [...command]
}

/** What a tool is to know of its surroundings: no password, no key. */
const knownVariables = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot', 'LD_LIBRARY_PATH']

function knownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    knownVariables.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : []))
  )
}

function isMissingTo(code: number | null): boolean {
  return hasShell && missingCodes.includes(code)
}

/** A line longer than this is cut: a tool that never ends one must not fill the memory. */
const maxLineLength = 4096

/** Start ffmpeg or ffprobe as a child process. Whoever starts it awaits `exited`. */
export function startMediaTool(
  name: MediaToolName,
  args: readonly string[],
  { stdio, videoPath, cpuSeconds = usualCpuSeconds, onLine }: MediaToolOptions
): MediaTool {
  const [program, ...all] = limited([name, ...args], cpuSeconds)
  const child = spawn(program, all, { stdio, windowsHide: true, env: knownEnvironment() })
  let rest = ''
  const reasons: string[] = []
  const take = (line: string) => {
    const told = videoPath === undefined ? line : withoutFolder(line, videoPath)
    const reason = reasonIn(told)
    if (reason !== null) reasons.push(reason)
    if (reasons.length > 2) reasons.shift()
    onLine?.(told)
  }
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = (lines.pop() ?? '').slice(0, maxLineLength)
    for (const line of lines) take(line)
  })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      // Anything else, such as too many open files, does not pass by installing it.
      const isMissing = ['ENOENT', 'EACCES', 'ENOTDIR'].includes(cause.code ?? '')
      reject(isMissing ? toolMissing(name, cause) : cause)
    })
    child.once('close', (code) => {
      if (isMissingTo(code)) return reject(toolMissing(name, new Error(rest)))
      take(rest)
      resolve(code)
    })
  })
  exited.catch(() => undefined)
  return { child, exited, complaint: () => reasons.join('; ') }
}

/** A part of the program, and the level that `-v level` adds. */
const lineHead = /^(?:\[[^\]]* @ [^\]]*\] )*(?:\[(\w+)\] )?/

/** Why it fails, by this line; null when it gives no reason, or is marked as less than an error. */
function reasonIn(line: string): string | null {
  const [head = '', level = 'error'] = lineHead.exec(line) ?? []
  const reason = line.slice(head.length).trim()
  const isReason = ['error', 'fatal', 'panic'].includes(level) && !['', 'Conversion failed!'].includes(reason)
  return isReason ? reason : null
}

function withoutFolder(line: string, videoPath: string): string {
  const name = path.basename(videoPath)
  return line.replaceAll(`file:${videoPath}`, name).replaceAll(videoPath, name)
}

function toolMissing(name: MediaToolName, cause: unknown): LeadlineError {
  return new LeadlineError(
    'TOOL_MISSING',
    `${name} cannot be started; video needs ffmpeg 4.4 or later: apt-get install ffmpeg (macOS: brew install ffmpeg)`,
    { cause }
  )
}
