import type { codecs } from './wire.ts'
import { encode } from './wire.ts'

/** What the tests send: small, and of enough contrast not to count as blank. */
export const width = 64
export const height = 48

/** RGB in two greys, which are others for each seed. */
export function pixels(seed: number, size = { width, height }): Uint8Array {
  const isLeft = (at: number) => Math.floor(at / 3) % size.width < size.width / 2
  const level = (seed * 37) % 156
  return Uint8Array.from({ length: size.width * size.height * 3 }, (_, at) =>
    isLeft(at) ? level : level + 100
  )
}

export function picture(seq: number, seed = seq): Uint8Array {
  return encode({ seq, width, height, payload: pixels(seed) })
}

export function upright(seq: number): Uint8Array {
  const size = { width: height, height: width }
  return encode({ seq, ...size, payload: pixels(seq, size) })
}

/** One grey all over. */
export function flat(seq: number): Uint8Array {
  return encode({ seq, width, height, payload: new Uint8Array(width * height * 3).fill(128) })
}

/** A picture of full height and width in NV12: luma of two greys, no colour. */
function nv12(): Uint8Array {
  const luma = Uint8Array.from({ length: width * height }, (_, at) => (at % width < width / 2 ? 60 : 180))
  return Uint8Array.from([...luma, ...new Uint8Array((width * height) / 2).fill(128)])
}

/** 64 x 48 pixels each, a chequered slope. */
const images = {
  jpeg: '/9j/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAwAEADASIAAhEBAxEB/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAYHAwT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AElYgkgOhUwmYN1FBCBudgUQJaxBJAdCphMwbqKCEDc7AogS1iCSA6FTCZg3UUEIG52BRB//2Q==',
  webp: 'UklGRmAAAABXRUJQVlA4IFQAAACQBACdASpAADAALplotFoiqCgoCACYS0gZYDPAK//zQH4B/APwAANYIkxps3AA/rRvZVY1fijlPUsHMvrkr1q7Hv1gzFxrcaICVg1P5/FcoAcEAAA=',
  png: 'iVBORw0KGgoAAAANSUhEUgAAAEAAAAAwCAMAAACWlYwtAAAAG1BMVEXIyMgoKChMTExwcHBAQEBkZGQ0NDRYWFh8fHwcQXBYAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAVklEQVRIie2UOQrAQAwD5RzO/v/FITB6QKoFo+mmUSFsqUBwgf0B+wl2JUATOjAN9gPsN9gXKAFrQge1/RIrAdrfwYBTNglQ9qCySB/+iexBZ1D6fwcvjYEbATYU6VkAAAAASUVORK5CYII=',
  avif: 'AAAAHGZ0eXBhdmlmAAAAAG1pZjFhdmlmbWlhZgAAANZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAAA+gABAAAAAAAAAE8AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABhdjAxAAAAAA5waXRtAAAAAAABAAAAVmlwcnAAAAA4aXBjbwAAAAxhdjFDgSACAAAAABRpc3BlAAAAAAAAAEAAAAAwAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAgMAAABXbWRhdBIACgk4FX+9pAQ0GkAyQEcQmLk4AAWAAQDX3rrZ/Hb2u1M4dVMgIYvXagBsw+h6AVENPKC+17ap+F043aGt8bsCDfTr8goCz0ID59Fyi2A=',
  tiff: 'SUkqANAAAAB4nO2YIQ7FIBAFexyO1ANUIiorkAhkRWUFkgNwCI71E559qf5tZuSozWZ3eSGEsDhqrdYfx2F9KcX68zyt3/fd+taa9eu6Wh+of0L/BfMj2F/B/Xm+n2MM62OM1l/XZX3O2fqUkvX3fVu/bZv1vXfrqV/Qf8H8CPZXcH+e7yf5WZCfBflZkJ8F+fnb/w+D/D8hPwvysyA/C/Lzt/8fwsvfr0D9E/ovmB/B/grujyD//+f7O16eHwb1T+i/YH6WyVv29wftF1M/ABAAAAEDAAEAAABAAAAAAQEDAAEAAAAwAAAAAgEDAAMAAACmAQAAAwEDAAEAAAAIAAAABgEDAAEAAAACAAAAEQEEAAEAAAAIAAAAEgEDAAEAAAABAAAAFQEDAAEAAAADAAAAFgEDAAEAAAAAAQAAFwEEAAEAAADHAAAAGgEFAAEAAACWAQAAGwEFAAEAAACeAQAAHAEDAAEAAAABAAAAKAEDAAEAAAACAAAAPQEDAAEAAAACAAAAUwEDAAMAAACsAQAAAAAAADMzywAAAAgAMzPLAAAACAAIAAgACAABAAEAAQA=',
  gif: 'R0lGODlhQAAwAIMAAExpcXx8fFhYWDQ0NGRkZEBAQHBwcExMTCgoKMjIyAAAAAAAAAAAAAAAAAAAAAAAACH5BAUAAAAALAAAAABAADAAAAT/EMkpk7226K0xFmAIepdhniZpUZSacJwrii6Kuuzkwps8jyrbCZdD7HgF368mNBBzR55yxhQ+WVHYlBZsXlsqZFL1A5KaTlXRGEZuQ1WbyzWo2+uug36vdxH+gH8uAYSFhHR3dnl8e36BgIOGhYiJA4uMB46PBJGSAZSJl4yaj52SoHeifKSBpoaoiiqYfSqbgiqehyqVeLKzrJC4ubC9JLOZtbauhWtZMWRlcTdqRc490EtdVtRQbVLYVNpy3FjeWuBcZ17kYCRib2YeaF865s8kZQLSQ+z17m7o4IibRqKZvWv4og3kN8cDL0u+MAG7RSLXp128VDVKtmmZLhIPxzXSImGLkzBPxCAa+8Wx1MlTGCuJREZS2ctXMUNFHNWy1c1JOVPtXNUzWMVhQWOtlFiUogeLBv99S5hN3baC1Q52CBgPw7x+FbSOoRrO6jis3aSeI5tO3jq05dTe85BvXwqwbOQipKvQLEEPUT2846pv4V247QQDZCvQL8OGF0IO3Viz48+PDjNOHumhpMeLIDUv5VnZ5VGUSYt5ODbR5GmYoWVuptnZ5mucsXWOJlra522guYXuplzb8m/MGCQP54zB8+UAEQAAOw=='
}

/** A frame in each codec that a server takes. */
export function inEveryCodec(): { codec: keyof typeof codecs; payload: Uint8Array; isRaw: boolean }[] {
  const encoded = Object.entries(images).map(([name, text]) => ({
    codec: name as keyof typeof images,
    payload: new Uint8Array(Buffer.from(text, 'base64')),
    isRaw: false
  }))
  return [
    ...encoded,
    { codec: 'rgb24', payload: pixels(1), isRaw: true },
    { codec: 'nv12', payload: nv12(), isRaw: true }
  ]
}
