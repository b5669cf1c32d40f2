import type { MediaTool } from './media-tool.ts'

/** Words of strerror(3), which ffmpeg repeats. */
const codes = {
  'No space left on device': 'ENOSPC',
  'Disk quota exceeded': 'EDQUOT',
  'File too large': 'EFBIG',
  'Permission denied': 'EACCES',
  'Read-only file system': 'EROFS',
  'Input/output error': 'EIO'
} as const

/** The disk's refusal in what a tool said, as the error that the system would have given here; null: there is none. */
export function diskFailureTold({ child, complaint }: MediaTool, text: string): NodeJS.ErrnoException | null {
  const said = complaint()
  const [, code] = Object.entries(codes).find(([words]) => said.includes(words)) ?? []
  // A process that passes its limit of file size (ulimit -f) is killed by this.
  const told = code ?? (child.signalCode === 'SIGXFSZ' ? 'EFBIG' : null)
  return told === null ? null : Object.assign(new Error(text), { code: told })
}
