import { containers } from '../media-tool.ts'
import type { LiveAddress } from './source-address.ts'

/**
 * How ffmpeg opens a source: the newest frame as soon as there is one, and from the network nothing but the network, since a
 * playlist may name files. RTSP goes over TCP: over UDP a lost packet is a torn picture, and most firewalls drop it all.
 */
export function liveArguments(address: LiveAddress): string[] {
  switch (address.kind) {
    case 'rtsp':
      return [
        '-protocol_whitelist',
        'rtsp,rtsps,rtp,udp,tcp,tls',
        '-rtsp_transport',
        'tcp',
        '-i',
        address.url
      ]
    case 'http':
      return ['-protocol_whitelist', 'http,https,tcp,tls,crypto,data', '-i', address.url]
    case 'camera':
      return ['-f', 'v4l2', '-i', address.device]
    case 'pipe':
      return ['-protocol_whitelist', 'pipe', '-format_whitelist', containers, '-i', 'pipe:0']
  }
}

/** Whether it comes at its own pace: what is not taken is old by the time that it is. */
export function hasOwnPace({ kind }: LiveAddress): boolean {
  return kind !== 'pipe'
}
