import { text } from 'node:stream/consumers'
import { LeadlineError } from '../errors.ts'
import { startMediaTool } from './media-tool.ts'
import type { PictureFacts } from './picture-facts.ts'

/** Curves of high dynamic range (ITU-R BT.2100), in ffmpeg's words, and what people call them. */
const hdrTransfers: Readonly<Record<string, string>> = { smpte2084: 'PQ', 'arib-std-b67': 'HLG' }

/** How bright white paper is in such a picture, in cd/m². Source: ITU-R BT.2408. */
const paperWhite = 203

export function isHdr({ transfer }: Pick<PictureFacts, 'transfer'>): boolean {
  return transfer !== null && transfer in hdrTransfers
}

/**
 * From high dynamic range to what the network was trained on: in linear light, white paper becomes white, and what is
 * brighter is pressed into the last tenth. None for other pictures.
 */
export function toneMapFilters({ transfer, matrix, primaries }: PictureFacts): string[] {
  if (!isHdr({ transfer })) return []
  const input = [
    `tin=${transfer}`,
    ...(matrix === null ? ['min=bt2020nc'] : []),
    ...(primaries === null ? ['pin=bt2020'] : [])
  ]
  return [
    // Whatever the subsampling: zscale refuses odd sizes with it.
    'format=yuv444p12',
    `zscale=${input.join(':')}:t=linear:npl=${paperWhite}`,
    'format=gbrpf32',
    'zscale=p=bt709',
    'tonemap=mobius:param=0.9:desat=0',
    'zscale=t=bt709',
    'format=gbrp'
  ]
}

/** Throws TOOL_MISSING where ffmpeg was built without what tone mapping needs. */
export async function checkToneMapping({ transfer }: PictureFacts): Promise<void> {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const tool = startMediaTool('ffmpeg', ['-hide_banner', '-filters'], { stdio: [...stdio] })
  const listed = tool.child.stdout === null ? '' : await text(tool.child.stdout)
  await tool.exited
  if (/ zscale /.test(listed) && / tonemap /.test(listed)) return
  throw new LeadlineError(
    'TOOL_MISSING',
    `The video is HDR (${hdrTransfers[transfer ?? '']}), and this ffmpeg has no "zscale" to map its tones; ` +
      'use an ffmpeg with libzimg, as Debian and Ubuntu have it, or convert the video to SDR first'
  )
}
