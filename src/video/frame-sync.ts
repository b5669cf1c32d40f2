import { text } from 'node:stream/consumers'
import { startMediaTool } from './media-tool.ts'

let option: Promise<string> | null = null

/** The option of ffmpeg that passes every frame on with its own time, none doubled or left out. Throws TOOL_MISSING. */
export async function frameSync(): Promise<[option: string, value: string]> {
  option ??= ask()
  // Whoever installs ffmpeg meanwhile is served without a restart.
  option.catch(() => (option = null))
  return [await option, 'passthrough']
}

async function ask(): Promise<string> {
  const tool = startMediaTool('ffmpeg', ['-version'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [said] = await Promise.all([tool.child.stdout === null ? '' : text(tool.child.stdout), tool.exited])
  return syncOption(said)
}

/** `-fps_mode` came with 5.1 and `-vsync` goes with 9.0. A version without a number is built from today's source. */
export function syncOption(versionText: string): string {
  const [, major, minor] = /^ffmpeg version n?(\d+)\.(\d+)/.exec(versionText) ?? []
  if (major === undefined) return '-fps_mode'
  return Number(major) * 100 + Number(minor) < 501 ? '-vsync' : '-fps_mode'
}
